"""A dataset made ready once: unpacked, decoded, checked."""

import hashlib
import tarfile

import pytest

from harness.config.loader import load
from harness.datasets.lock import read_lock
from harness.datasets.preparing import prepare_dataset
from harness.errors import ConfigError, CorpusAbsent, DataError


def prepared(loaded, name="tiny", **more):
    return prepare_dataset(
        load(loaded.path), name, "quick", loaded.folder / "cache", lambda _: abs, workers=1, **more
    )


@pytest.fixture
def archive(loaded, speech, tmp_path):
    """The corpus as it is published, and no longer on this machine."""
    path = tmp_path / "tiny_v1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for entry in sorted(speech.iterdir()):
            tar.add(entry, entry.name)
    speech.rename(tmp_path / "elsewhere")
    return path


def test_a_prepared_dataset_is_counted_and_pinned(loaded):
    said: list[str] = []
    first = prepared(loaded, tell=said.append)
    assert (first.items, first.damaged, first.lock) == (24, [], "pinned now")
    assert first.size == 2 * 24 * (4800 + 160)
    assert sum(first.hours.values()) * 3600 == pytest.approx(24 * 0.31)
    assert first.duplicates == []
    assert "tiny: 250.4 kB are to be packed under" in said[0]
    assert prepared(loaded).lock == "as locked"


def test_an_archive_is_unpacked_where_the_dataset_is_looked_for(loaded, archive, speech):
    with pytest.raises(CorpusAbsent):
        prepared(loaded)
    said: list[str] = []
    assert prepared(loaded, archives=[archive], tell=said.append).lock == "pinned now"
    assert (speech / "a" / "a0.flac").is_file()
    assert "no published md5 is known" in said[0]
    assert prepared(loaded, archives=[archive]).lock == "as locked"


def published(loaded, archive, md5):
    table = f'published = {{ source = "a paper", archives = {{ "{archive.name}" = "{md5}" }} }}'
    loaded.path.write_text(f"{loaded.path.read_text()}\n{table}\n")


@pytest.mark.parametrize("parts", [1, 3])
def test_an_archive_is_held_against_the_published_md5(loaded, archive, parts):
    content = archive.read_bytes()
    published(loaded, archive, hashlib.md5(content).hexdigest())
    given = [archive]
    if parts > 1:
        step = len(content) // parts + 1
        given = [archive.with_name(f"{archive.name}a{letter}") for letter in "abc"]
        for number, path in enumerate(given):
            path.write_bytes(content[number * step : (number + 1) * step])
    said: list[str] = []
    assert prepared(loaded, archives=given[::-1], tell=said.append).items == 24
    assert "comparing with the published md5" in said[0]


def test_another_archive_is_refused(loaded, archive, speech):
    published(loaded, archive, "0" * 32)
    with pytest.raises(DataError, match="not the published archive"):
        prepared(loaded, archives=[archive])
    assert not speech.exists()


def test_what_is_made_when_it_is_needed_has_no_archive(loaded, archive):
    loaded.path.write_text(
        loaded.path.read_text()
        + """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }
"""
    )
    with pytest.raises(ConfigError, match="no archive to unpack"):
        prepared(loaded, "digits", archives=[archive])
    digits = prepared(loaded, "digits")
    assert (digits.items, digits.hours, digits.duplicates) == (1797, {}, [])


def test_damaged_files_are_named_and_nothing_is_pinned(loaded, speech):
    (speech / "a" / "a0.flac").write_bytes(b"")
    found = prepared(loaded)
    assert [row["id"] for row in found.damaged] == ["a0"]
    assert found.lock == "not pinned: damaged"
    assert read_lock(loaded.lock_path).datasets == {}
