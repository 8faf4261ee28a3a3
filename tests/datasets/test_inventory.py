"""What corpora there are, and what is wrong with one."""

import pytest
import soundfile

from harness.config.loader import load
from harness.datasets.inventory import check_dataset_files, check_dataset_lists, inventory
from harness.datasets.lock import read_lock
from harness.errors import DataError, LockError

EMBEDDED = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[datasets.gone]
adapter = "harness.data.corpora.drawings:Drawings"
path = "gone"
licence = "MIT"
source = "https://example.org/gone"
"""


def checked(loaded, advance=lambda _: None):
    return check_dataset_files(
        loaded, "tiny", "quick", loaded.folder / "cache", lambda listing: advance
    )


def test_every_dataset_has_a_row(loaded, speech):
    loaded.path.write_text(loaded.path.read_text() + EMBEDDED)
    rows = {row["name"]: row for row in inventory(load(loaded.path))}
    assert rows["tiny"]["folder"] == str(speech)
    assert not rows["tiny"]["embedded"]
    assert rows["digits"]["embedded"]
    assert rows["digits"]["folder"] == rows["digits"]["absence"] == ""
    assert "https://example.org/gone" in rows["gone"]["absence"]


def test_a_row_names_the_locked_profiles(loaded):
    assert inventory(loaded)[0]["locked"] == []
    checked(loaded)
    assert inventory(loaded)[0]["locked"] == ["quick"]


def test_a_good_dataset_is_pinned_and_then_as_locked(loaded):
    steps: list[int] = []
    first = checked(loaded, steps.append)
    assert (first.lock, first.items, first.damaged, first.report) == ("pinned now", 24, [], "")
    assert sum(steps) == 24
    assert first.counts["test"]["trials"] == 36
    assert checked(loaded).lock == "as locked"


SPOILT = {
    "a0": ("flac", "cut", "cannot be decoded"),
    "a1": ("wav", "cut", "is truncated"),
    "b0": ("flac", "empty", "empty (0 bytes)"),
    "b1": ("wav", "stereo", "2 channels"),
    "c0": ("flac", "slow", "8000 Hz"),
    "c1": ("wav", "silent", "all zeros"),
    "d0": ("flac", "text", "cannot be decoded"),
    "d1": ("wav", "gone", "no such file"),
    "e0": ("flac", "twice", "the manifest says 0.30 s"),
}


def spoil(path, how):
    sound, rate = soundfile.read(path, dtype="int16")
    written = {
        "stereo": (sound[:, None].repeat(2, axis=1), rate),
        "slow": (sound[::2], rate // 2),
        "silent": (sound * 0, rate),
        "twice": (sound.repeat(2), rate),
    }
    if how in written:
        soundfile.write(path, *written[how], "PCM_16")
    elif how == "gone":
        path.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "text": b"x\n"}[how])


def test_every_damaged_file_is_listed_with_its_line_and_reason(loaded, speech):
    sources = {name: speech / name[0] / f"{name}.{SPOILT[name][0]}" for name in SPOILT}
    for name, path in sources.items():
        spoil(path, SPOILT[name][1])
    found = checked(loaded)
    assert [row["id"] for row in found.damaged] == list(SPOILT)
    lines = (speech / "manifest.tsv").read_text().splitlines()
    for row in found.damaged:
        name = row["id"]
        assert SPOILT[name][2] in row["reason"]
        assert row["source"] == str(sources[name])
        assert lines[row["line"] - 1].startswith(f"{name}\t")
        assert f"{sources[name]} (line {row['line']}): {row['reason']}" in found.report
    assert found.lock == "not pinned: damaged"
    assert read_lock(loaded.lock_path).datasets == {}


def test_a_mended_file_is_read_again(loaded, speech):
    path = speech / "a" / "a0.flac"
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    assert len(checked(loaded).damaged) == 1
    path.write_bytes(sound)
    assert checked(loaded).lock == "pinned now"


def test_lists_that_cannot_be_used(loaded, speech):
    (speech / "manifest.tsv").unlink()
    with pytest.raises(DataError, match="no such manifest"):
        checked(loaded)


def test_lists_are_pinned_alone_and_their_content_when_it_is_first_decoded(loaded):
    listed = check_dataset_lists(loaded, "tiny", "quick")
    assert (listed.lock, listed.decoded) == ("lists pinned now", False)
    assert read_lock(loaded.lock_path).datasets["tiny/quick"].content == ""
    assert check_dataset_lists(loaded, "tiny", "quick").lock == "lists as locked"
    assert checked(loaded).lock == "pinned now"
    assert len(read_lock(loaded.lock_path).datasets["tiny/quick"].content) == 64


def test_a_file_that_changed_after_it_was_packed_is_read_anew_and_refused(loaded, speech):
    checked(loaded)
    path = speech / "a" / "a0.flac"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate)
    with pytest.raises(LockError, match="decoded content is not the locked one"):
        checked(loaded)
