"""A pack is held against its files by their size and time of change, and by what they hold."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from harness.data.corpora.speech_manifest import SpeechManifest
from harness.datasets.packing import pack_files
from harness.datasets.packing.decoding import stamp_of, stamps_of
from harness.datasets.packing.item_records import item_records, texts_by_row
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import Pack
from harness.datasets.packing.pack_request import PackRequest
from harness.datasets.packing.unfinished import journal_line, parse_journal_line
from tests.places import ROOT
from tests.speech import noise


@pytest.fixture
def watched(speech, tmp_path, monkeypatch):
    """A packed corpus; `read` holds what was decoded since, `said` what was told."""
    items = SpeechManifest().items("quick", speech)
    request = PackRequest(tmp_path / "p", SpeechManifest(), speech, items, abs, 1)
    ensure_pack(request)
    watched = Watched(request)
    real = SpeechManifest.read

    def read(self, item, folder):
        watched.read.append(item.id)
        return real(self, item, folder)

    monkeypatch.setattr(SpeechManifest, "read", read)
    return watched


class Watched:
    def __init__(self, request):
        self.read, self.said = [], []
        self.request = replace(request, tell=self.said.append)

    def path(self, name):
        return self.request.source / name[0] / f"{name}.{'wav' if name[1] != '0' else 'flac'}"


def touch(path):
    later = path.stat().st_mtime_ns + 5_000_000_000
    os.utime(path, ns=(later, later))


def test_each_items_hash_is_that_of_its_samples(watched):
    pack = ensure_pack(watched.request)
    for row in range(len(pack)):
        samples = np.ascontiguousarray(pack.item(row))
        assert bytes(pack.hashes[row]) == hashlib.sha256(samples.tobytes()).digest()
    assert pack.content == hashlib.sha256(np.ascontiguousarray(pack.values).tobytes()).hexdigest()


def test_files_that_did_not_change_are_not_read(watched):
    ensure_pack(watched.request)
    assert watched.read == []
    assert watched.said == []


def test_a_touched_file_is_read_once_and_kept(watched):
    before = ensure_pack(watched.request)
    touch(watched.path("c1"))
    again = ensure_pack(watched.request)
    assert watched.read == ["c1"]
    assert again.content == before.content
    ensure_pack(watched.request)
    assert watched.read == ["c1"]
    assert watched.said == []


def test_a_changed_file_is_named_and_packed_anew_and_the_others_are_taken_over(watched, speech):
    before = ensure_pack(watched.request)
    held = np.array(before.item(2))
    soundfile.write(watched.path("c1"), noise(99, 4960), 16_000, "PCM_16")
    after = ensure_pack(watched.request)
    np.testing.assert_array_equal(after.item(7), noise(99, 4960))
    assert set(watched.read) == set(watched.request.items["id"])
    assert "changed since it was packed: 1 of 24 items (c/c1.wav)" in watched.said[0]
    np.testing.assert_array_equal(before.item(2), held), "a pack in use stays as it was"
    fresh = ensure_pack(replace(watched.request, folder=watched.request.folder.with_name("fresh")))
    assert (after.content, after.hashes.tolist()) == (fresh.content, fresh.hashes.tolist())


def test_a_change_that_stamps_do_not_tell_is_found_by_reading_all(watched):
    path = watched.path("c1")
    facts = path.stat()
    soundfile.write(path, noise(99, 4960), 16_000, "PCM_16")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    before = ensure_pack(watched.request)
    assert watched.read == []
    after = ensure_pack(watched.request, fresh=True)
    assert before.content != after.content
    assert (before.hashes != after.hashes).any(axis=1).tolist() == [row == 7 for row in range(24)]


def test_reading_all_of_what_did_not_change_counts_every_item_once(watched):
    steps: list[int] = []
    ensure_pack(replace(watched.request, advance=steps.append), fresh=True)
    assert sum(steps) == 24
    assert len(watched.read) == 24


def test_a_change_counts_every_item_once(watched):
    touch(watched.path("a0"))
    soundfile.write(watched.path("c1"), noise(99, 4960), 16_000, "PCM_16")
    steps: list[int] = []
    ensure_pack(replace(watched.request, advance=steps.append))
    assert sum(steps) == 24


def test_a_trusted_pack_is_not_looked_at(watched):
    watched.path("c1").unlink()
    pack = ensure_pack(watched.request, trusted=True)
    assert pack.damaged == {}
    assert ensure_pack(watched.request).damaged == {7: "no such file"}


def test_a_damaged_file_alone_is_read_again(watched):
    watched.path("c1").unlink()
    ensure_pack(watched.request)
    watched.read.clear()
    pack = ensure_pack(watched.request)
    assert watched.read == ["c1"]
    assert pack.damaged == {7: "no such file"}


def test_a_pack_of_another_format_is_made_anew(watched, monkeypatch):
    monkeypatch.setattr(pack_files, "FORMAT", pack_files.FORMAT + 1)
    pack = ensure_pack(watched.request)
    assert len(watched.read) == 24
    assert isinstance(pack, Pack)


def test_a_pack_of_files_that_other_rules_read_is_made_anew(watched):
    facts = watched.request.folder / pack_files.FACTS
    old = json.loads(facts.read_text())
    del old["reading"]
    facts.write_text(json.dumps(old))
    ensure_pack(watched.request, trusted=True)
    assert len(watched.read) == 24
    ensure_pack(watched.request)
    assert len(watched.read) == 24


def test_notes_on_items_are_kept_and_told_anew_where_they_change(watched):
    path = watched.path("c1")
    sound = soundfile.read(path)[0]
    kept = path.read_bytes()
    sound[100:103] = 1.2
    soundfile.write(path, sound, 16_000, "FLOAT")
    note = f"3 of {len(sound):,} samples were clipped, up to 1.6 dB above full scale"
    for _ in range(2):
        pack = ensure_pack(watched.request)
        assert (pack.notes, pack.damaged) == ({7: note}, {})
        assert pack.records()[6:9]["note"].tolist() == [None, note, None]
    path.write_bytes(kept)
    assert ensure_pack(watched.request).notes == {}


def test_a_journal_keeps_notes():
    rows = np.zeros((2, 1), np.int64), np.zeros((2, 32), np.uint8), np.zeros((2, 2), np.int64)
    records = item_records(*rows, {0: "gone"}, {1: "clipped"})
    again = parse_journal_line(journal_line(records))
    assert again is not None
    both = np.concatenate([records, again])
    assert texts_by_row(both["damage"]) == {0: "gone", 2: "gone"}
    assert texts_by_row(both["note"]) == {1: "clipped", 3: "clipped"}


def test_a_part_of_a_file_has_the_files_stamp(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"12345")
    (tmp_path / "b#1.wav").write_bytes(b"123")
    size, changed = stamp_of(tmp_path, "a.wav")
    assert (size, changed) == (5, (tmp_path / "a.wav").stat().st_mtime_ns)
    assert stamp_of(tmp_path, "a.wav#0.5-1.5") == (size, changed)
    assert stamp_of(tmp_path, "b#1.wav")[0] == stamp_of(tmp_path, "b#1.wav#row 2")[0] == 3
    for none in ("c.wav", "b", "", "."):
        assert stamp_of(tmp_path, none) == (0, 0)
    sources = pd.Series(["a.wav#1", "b#1.wav", "a.wav#2", "gone", "a.wav#1"])
    assert stamps_of(tmp_path, sources)[:, 0].tolist() == [5, 3, 5, 0, 5]
    assert stamps_of(tmp_path, sources[:0]).shape == (0, 2)


HOLDER = """
import sys, time
from pathlib import Path
from harness.records.files import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_who_waits_for_another_process_is_told_so(watched):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(watched.request.folder), "1"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    begun = time.monotonic()
    ensure_pack(watched.request)
    assert watched.said == ["p: another process is packing it; waiting"]
    assert time.monotonic() > begun
    assert holder.wait() == 0
