"""One changed byte of a pack is found when it is first used, and mended from its source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.data.corpora.speech_manifest import SpeechManifest
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import MENDERS, VALUES, DamagedItems, Pack
from harness.datasets.packing.pack_files import (
    FACTS,
    FAST,
    HASHES,
    OWN,
    SHAPES,
    STAMPS,
    TABLES,
    open_pack,
    read_pack,
)
from harness.datasets.packing.pack_request import PackRequest
from harness.errors import DataError
from harness.records.damage import hear_damage


@pytest.fixture
def request_of(speech, tmp_path):
    items = SpeechManifest().items("quick", speech)
    return PackRequest(tmp_path / "packs" / "p", SpeechManifest(), speech, items, lambda _: None)


@pytest.fixture
def said():
    messages: list[str] = []
    with hear_damage(messages.append):
        yield messages


def flip(path: Path, place: int, bits: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ bits]))


def contents(pack: Pack) -> list[bytes]:
    return [pack.item(row).tobytes() for row in range(len(pack))]


@pytest.mark.parametrize(
    "times", [20, pytest.param(200, marks=pytest.mark.long)], ids=["some", "many"]
)
def test_a_byte_changed_anywhere_is_caught_and_mended(request_of, said, times):
    whole = contents(ensure_pack(request_of))
    values = request_of.folder / VALUES
    before, generator = values.read_bytes(), np.random.default_rng(times)
    for place in generator.integers(0, len(before), times).tolist():
        flip(values, place, int(generator.integers(1, 256)))
        pack = ensure_pack(request_of)
        row = int(np.searchsorted(pack.offsets, place // 2, "right")) - 1
        assert pack.find_damage(0, len(pack)) == [row]
        assert pack.item(row).tobytes() == whole[row]
        assert values.read_bytes() == before
    assert len(said) == times
    assert f"1 items of {values} were damaged" in said[0]
    assert "read again" in said[0]


def test_a_process_that_has_no_corpus_names_the_items(request_of):
    ensure_pack(request_of)
    flip(request_of.folder / VALUES, 0)
    del MENDERS[request_of.folder]
    with pytest.raises(DamagedItems, match=r"row 0; delete .*packed anew") as raised:
        open_pack(request_of.folder).item(0)
    assert (raised.value.folder, raised.value.rows) == (request_of.folder, [0])


def test_a_check_in_full_names_every_damaged_item(request_of, said):
    pack = ensure_pack(request_of)
    for row in (1, 3):
        flip(request_of.folder / VALUES, 2 * int(pack.offsets[row]))
    ensure_pack(request_of, fresh=True)
    ids = request_of.items["id"]
    assert len(said) == 1
    assert f"({ids[1]}, {ids[3]})" in said[0]


def test_what_cannot_be_read_again_names_file_and_mend(tmp_path, speech, said):
    corpus = shutil.copytree(speech, tmp_path / "corpus")
    items = SpeechManifest().items("quick", corpus)
    request = PackRequest(tmp_path / "p", SpeechManifest(), corpus, items, lambda _: None)
    pack = ensure_pack(request)
    source = corpus / items["source"][0]
    source.unlink()
    flip(request.folder / VALUES, 0)
    with pytest.raises(DataError, match=f"{source}.*restore that file, or delete"):
        pack.item(0)


@pytest.mark.parametrize("name", [FACTS, SHAPES, HASHES, FAST, STAMPS, VALUES])
@pytest.mark.parametrize("way", ["emptied", "cut", "garbage", "gone"])
def test_damaged_tables_are_set_aside_and_made_again(request_of, said, name, way):
    first = ensure_pack(request_of)
    whole, content = contents(first), first.content
    path = request_of.folder / name
    kept = path.read_bytes()
    if way == "gone":
        path.unlink()
    else:
        path.write_bytes({"emptied": b"", "cut": kept[: len(kept) // 2]}.get(way, b"\x93x" * 40))
    again = ensure_pack(request_of)
    assert (contents(again), again.content) == (whole, content)
    if (name, way) != (FACTS, "gone") and name != STAMPS:
        assert "set aside as p.damaged-1, it is made again" in said[0]
        assert (request_of.folder.parent / "p.damaged-1").is_dir()
    assert read_pack(request_of.folder).find_damage(0, len(again)) == []


@pytest.mark.parametrize("name", [SHAPES, HASHES, FACTS])
def test_any_flipped_byte_of_a_table_is_caught(request_of, said, name):
    whole = contents(ensure_pack(request_of))
    path = request_of.folder / name
    flip(path, path.stat().st_size - 9)
    assert contents(ensure_pack(request_of)) == whole
    assert len(said) == 1


def test_a_pack_without_hashes_of_its_tables_gets_them_when_it_is_opened(request_of, said):
    whole = contents(ensure_pack(request_of))
    path = request_of.folder / FACTS
    facts = json.loads(path.read_text())
    older = {name: value for name, value in facts.items() if name not in (TABLES, OWN)}
    path.write_text(json.dumps(older))
    (request_of.folder / FAST).unlink()
    assert contents(ensure_pack(request_of)) == whole
    assert set(json.loads(path.read_text())[TABLES]) == {SHAPES, HASHES}
    assert said == []
    flip(request_of.folder / VALUES, 0)
    assert contents(ensure_pack(request_of)) == whole
    assert len(said) == 1


def test_a_pack_that_is_made_anew_copies_no_damage(request_of, said):
    whole, content = contents(ensure_pack(request_of)), ensure_pack(request_of).content
    flip(request_of.folder / VALUES, 0)
    # A note that reading does not give again: the pack counts as changed in that row alone.
    facts = json.loads((request_of.folder / FACTS).read_text())
    older = {name: value for name, value in facts.items() if name not in (TABLES, OWN)}
    (request_of.folder / FACTS).write_text(json.dumps(older | {"notes": {"2": "of old"}}))
    np.save(request_of.folder / STAMPS, np.zeros((len(whole), 2), np.int64))
    again = ensure_pack(request_of)
    assert (contents(again), again.content) == (whole, content)
    assert isinstance(request_of.items, pd.DataFrame)
