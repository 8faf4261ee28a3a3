"""What glibc makes of the allocator's settings, asked of glibc itself in a fresh process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from harness.measure.environment import ALLOCATOR_ENVIRONMENT

# Bytes in mapped blocks (mallinfo2's hblkhd) that 100 MiB add, and heap kept when they are free.
ASK = """
import ctypes
libc = ctypes.CDLL("libc.so.6")
names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in names]
libc.mallinfo2.restype = Info
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
before = libc.mallinfo2().hblkhd
block = libc.malloc(100 << 20)
mapped = libc.mallinfo2().hblkhd - before
libc.free(block)
print(mapped >> 20, libc.mallinfo2().arena >> 20)
"""

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or platform.libc_ver()[1] < "2.33",
    reason="asks glibc by mallinfo2, there since 2.33",
)


def mapped_and_kept(settings: dict[str, str]) -> tuple[int, int]:
    plain = {k: v for k, v in os.environ.items() if "MALLOC" not in k and k != "GLIBC_TUNABLES"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=plain | settings, capture_output=True, check=True
    )
    mapped, kept = done.stdout.split()
    return int(mapped), int(kept)


@glibc
def test_glibc_maps_a_large_block_by_default() -> None:
    mapped, kept = mapped_and_kept({})
    assert mapped >= 100
    assert kept < 100


@glibc
def test_the_settings_take_it_from_the_heap_and_keep_it_there() -> None:
    mapped, kept = mapped_and_kept(ALLOCATOR_ENVIRONMENT)
    assert mapped == 0
    assert kept >= 100
