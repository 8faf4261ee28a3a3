"""A pack is there whole or not at all, and holds what the corpus holds."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from harness.data.corpora.digits import Digits
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import Pack
from harness.datasets.packing.pack_request import PackRequest

CORPUS = '''
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Counting:
    """Item i holds i + 1 times the number i; reading one takes a while."""

    seconds: float
    kind = "audio"
    version = 1
    needs_folder = False

    def read(self, item, folder):
        (folder / f"read-{item.number}").touch()
        time.sleep(self.seconds)
        return np.full(item.number + 1, item.number, dtype=np.int16)
'''
PACK = """
import sys
from pathlib import Path
import pandas as pd
from counting_corpus import Counting
from harness.datasets.packing.making import PackRequest, ensure_pack

if __name__ == "__main__":
    here = Path(__file__).parent
    items = pd.DataFrame({"number": range(300), "seconds": 1.0, "source": "", "id": range(300)})
    corpus = Counting(float(sys.argv[1]))
    pack = ensure_pack(PackRequest(here / "packs" / "p", corpus, here, items, lambda _: None))
    sys.exit(0 if [len(pack.item(i)) for i in range(300)] == list(range(1, 301)) else 3)
"""


@pytest.fixture
def request_of(speech, tmp_path):
    def request(advance=lambda _: None):
        items = SpeechManifest().items("quick", speech)
        return PackRequest(tmp_path / "packs" / "tiny", SpeechManifest(), speech, items, advance)

    return request


@pytest.fixture
def script(tmp_path):
    (tmp_path / "counting_corpus.py").write_text(CORPUS)
    (tmp_path / "pack.py").write_text(PACK)

    def start(seconds):
        return subprocess.Popen([sys.executable, tmp_path / "pack.py", str(seconds)])

    return start


def wait_until(true):
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def same(one: Pack, two: Pack) -> bool:
    return one.content == two.content and all(
        np.array_equal(one.item(index), two.item(index)) for index in range(len(one))
    )


def test_items_are_what_the_corpus_reads(request_of):
    request = request_of()
    pack = ensure_pack(request)
    assert len(pack) == len(request.items)
    for index, item in enumerate(request.items.itertuples(index=False)):
        sound = SpeechManifest().read(item, request.source)
        np.testing.assert_array_equal(pack.item(index), sound)
        assert pack.length(index) == len(sound)
    assert pack.damaged == {}


def test_a_pack_is_made_once_and_opened_again_with_the_same_content(request_of):
    steps: list[int] = []
    first = ensure_pack(request_of(steps.append))
    again = ensure_pack(request_of(steps.append))
    assert sum(steps) == len(first)
    assert same(first, again)


def test_the_content_hash_is_that_of_the_samples(request_of):
    request = request_of()
    first = ensure_pack(request)
    other = dataclasses.replace(request, folder=request.folder.with_name("other"))
    assert ensure_pack(other).content == first.content
    backwards = dataclasses.replace(
        other, folder=request.folder.with_name("backwards"), items=request.items.iloc[::-1]
    )
    assert ensure_pack(backwards).content != first.content


def test_damaged_items_are_empty_and_say_why(request_of, speech):
    (speech / "b" / "b0.flac").unlink()
    pack = ensure_pack(request_of())
    assert pack.damaged == {3: "no such file"}
    assert pack.length(3) == 0
    assert pack.length(4) > 0


def test_all_items_damaged(request_of, speech):
    for path in speech.glob("*/*"):
        path.write_bytes(b"")
    pack = ensure_pack(request_of())
    assert len(pack.damaged) == len(pack) == 24
    assert pack.item(0).shape == (0,)


def test_a_mended_file_is_read_again_unless_the_pack_is_to_be_kept(request_of, speech):
    path = speech / "b" / "b0.flac"
    sound = path.read_bytes()
    path.write_bytes(b"")
    assert ensure_pack(request_of()).damaged
    path.write_bytes(sound)
    assert ensure_pack(request_of(), trusted=True).damaged
    assert not ensure_pack(request_of()).damaged


def test_pictures_keep_their_shape_over_several_processes(tmp_path):
    items = Digits().items("quick", tmp_path).iloc[:262]
    steps: list[int] = []
    pack = ensure_pack(PackRequest(tmp_path / "digits", Digits(), tmp_path, items, steps.append))
    assert steps == [*[32] * 8, 6]
    for index, item in enumerate(items.itertuples(index=False)):
        np.testing.assert_array_equal(pack.item(index), Digits().read(item, tmp_path))


def test_a_killed_packing_leaves_nothing_half_and_no_worker(script, tmp_path):
    packing = script(0.02)
    wait_until((tmp_path / "read-40").exists)
    workers = psutil.Process(packing.pid).children(recursive=True)
    assert len(workers) > 1 or os.cpu_count() == 1
    packing.send_signal(signal.SIGKILL)
    packing.wait()
    assert not (tmp_path / "packs" / "p").exists()
    wait_until(lambda: not any(alive(worker) for worker in workers))

    assert script(0).wait() == 0
    assert sorted(os.listdir(tmp_path / "packs")) == ["p", "p.lock"]


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_two_processes_at_once_both_end_well(script, tmp_path):
    processes = [script(0.002) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert sorted(os.listdir(tmp_path / "packs")) == ["p", "p.lock"]


def test_a_reader_that_fails_leaves_no_pack(request_of):
    request = request_of()
    broken = dataclasses.replace(request, items=request.items.drop(columns="source"))
    with pytest.raises(AttributeError, match="source"):
        ensure_pack(broken)
    assert not request.folder.exists()


@pytest.fixture
def numbers():
    return Pack(np.arange(10, dtype=np.int16), np.array([0, 4, 10]), np.array([[4], [6]]), "", {})


@pytest.mark.parametrize(
    ("index", "start", "count", "expected"),
    [
        (1, 0, 6, [4, 5, 6, 7, 8, 9]),
        (1, 2, 3, [6, 7, 8]),
        (0, 0, 2, [0, 1]),
        (0, 0, 10, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]),
        (0, 3, 3, [3, 0, 1]),
    ],
)
def test_a_span_stays_in_its_item_and_short_items_are_tiled(numbers, index, start, count, expected):
    assert numbers.span(index, start, count).tolist() == expected


def test_pack_of_pictures_of_several_sizes():
    pack = Pack(
        np.arange(12, dtype=np.uint8), np.array([0, 6, 12]), np.array([[2, 3], [3, 2]]), "", {}
    )
    assert pack.item(0).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert pack.item(1).shape == (3, 2)


@pytest.mark.parametrize(
    ("workers", "chunks", "processes"), [(2, 0, 1), (2, 7, 1), (2, 8, 2), (2, 99, 2), (1, 99, 1)]
)
def test_a_process_is_started_where_it_decodes_enough(request_of, workers, chunks, processes):
    request = dataclasses.replace(request_of(), workers=workers)
    assert request.processes_for(chunks) == processes
