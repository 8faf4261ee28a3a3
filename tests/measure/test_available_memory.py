"""How much a process may still take, under a limit that is really there."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from harness.measure.memory_use import available_memory

MIB = 2**20

LIMITED = """
import resource, sys
from harness.measure.memory_use import available_memory

limit = getattr(resource, sys.argv[1])
resource.setrlimit(limit, (limit_before := 600 * 2**20, limit_before))
left = available_memory()
block = bytearray(left - 40 * 2**20)
try:
    bytearray(120 * 2**20)
except MemoryError:
    print("full", left)
"""


def test_without_a_limit_it_is_what_the_machine_has_left():
    assert 0 < available_memory() <= psutil.virtual_memory().total


@pytest.mark.skipif(not psutil.LINUX, reason="limits of a process are told on Linux")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_is_met_where_it_says(limit):
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, limit], capture_output=True, text=True, check=True
    )
    said, left = ran.stdout.split()
    assert said == "full"
    assert 0 < int(left) <= 600 * MIB
