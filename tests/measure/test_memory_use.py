"""Peak memory of a block."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from harness.measure import memory_use
from harness.measure.memory_use import PeakMemory

MEBIBYTE = 2**20


def touch(mebibytes: int) -> None:
    assert len(b"\1" * (mebibytes * MEBIBYTE)) > 0


def resettable() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


needs_reset = pytest.mark.skipif(
    not resettable(), reason="this kernel or sandbox does not reset the peak resident size"
)


PEAKS = """
from harness.measure.memory_use import PeakMemory

def touch(mebibytes):
    assert len(b"\\1" * (mebibytes * 2**20)) > 0

touch(200)
with PeakMemory("cpu") as small:
    touch(1)
with PeakMemory("cpu") as large:
    touch(120)
touch(200)
for peak in (small, large):
    print(peak.memory.counted, peak.memory.bytes)
"""


@needs_reset
def test_an_earlier_peak_is_forgotten_and_a_later_one_not_seen() -> None:
    # In a process of its own: what other tests left free in the heap would be taken first.
    done = subprocess.run([sys.executable, "-c", PEAKS], check=True, capture_output=True, text=True)
    (one, small), (other, large) = (line.split() for line in done.stdout.splitlines())
    assert one == other == "process"
    assert 100 * MEBIBYTE < int(large) - int(small) < 150 * MEBIBYTE


@needs_reset
def test_a_block_that_fails_has_a_peak() -> None:
    peak = PeakMemory("cpu")
    with pytest.raises(KeyError), peak:
        raise KeyError
    assert peak.memory.bytes > MEBIBYTE


def test_the_lifetimes_peak_stands_in_where_no_reset_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory_use, "_CLEAR_REFS", tmp_path)  # writing to a folder is an OSError
    with PeakMemory("cpu") as peak:
        touch(1)
    assert peak.memory.bytes == pytest.approx(memory_use._lifetime_peak(), rel=0.01)


def test_a_peak_within_its_block_is_refused() -> None:
    with PeakMemory("cpu") as peak, pytest.raises(RuntimeError, match="when the block has ended"):
        _ = peak.memory


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_gpus_peak() -> None:
    with PeakMemory("cuda") as peak:
        torch.ones(64 * MEBIBYTE, dtype=torch.uint8, device="cuda")
    assert peak.memory.counted == "gpu"
    assert peak.memory.bytes >= 64 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_high_water_mark_is_read_in_bytes() -> None:
    mark = memory_use._high_water_mark()
    assert mark is None or 10 * MEBIBYTE < mark < 2**45
