"""Leases: one process at a time works in a folder, whatever became of the others."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.records import lease as module
from harness.records.lease import (
    VARIABLE,
    Lease,
    LeaseLost,
    check_leases,
    confirm_lease,
    is_leased,
    share_lease,
    take_lease,
)
from harness.records.lease_file import find_lease

HOLD = """
import sys
from pathlib import Path
from harness.records.lease import take_lease
print(take_lease(Path(sys.argv[1])).token, flush=True)
sys.stdin.read()
"""


def taken(folder: Path) -> Lease:
    lease = take_lease(folder)
    assert lease is not None
    return lease


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def grow_old(folder: Path, seconds: float) -> None:
    """As if nobody had renewed the folder's lease for so long."""
    found = find_lease(folder)
    assert found is not None
    os.utime(found.path, (found.renewed - seconds, found.renewed - seconds))


def elsewhere(folder: Path) -> None:
    """As if the folder's lease were held on another machine."""
    found = find_lease(folder)
    assert found is not None
    content = json.loads(found.path.read_text())
    for holder in content["holders"]:
        holder["host"], holder["place"] = "another", "another"
    found.path.write_text(json.dumps(content))


@pytest.fixture(autouse=True)
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are renewed when a test says so, and are the test's own."""
    heart = module._Heart()
    heart._thread = threading.current_thread()
    monkeypatch.setattr(module, "_HEART", heart)


def test_a_lease_is_of_one_until_it_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    lease = taken(folder)
    assert take_lease(folder) is None
    assert is_leased(folder)
    found = find_lease(folder)
    assert found is not None
    assert found.content is not None
    assert [(each.host != "", each.pid) for each in found.content.holders] == [(True, os.getpid())]
    lease.release()
    lease.renew()  # a beat that came too late brings nothing back
    assert not is_leased(folder)
    assert files(folder) == []


def test_a_lease_that_is_not_renewed_lapses_by_the_file_systems_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this machine's clock is wrong, and not asked
    first = taken(tmp_path)
    elsewhere(tmp_path)
    grow_old(tmp_path, first.seconds - 5)
    assert take_lease(tmp_path) is None
    grow_old(tmp_path, 5)
    second = taken(tmp_path)
    assert files(tmp_path) == ["lease-2"]
    first.renew()
    with pytest.raises(LeaseLost):
        first.check()
    first.release()
    second.renew()
    second.check()
    assert is_leased(tmp_path)
    second.release()


def test_a_renewal_keeps_it(tmp_path: Path) -> None:
    lease = taken(tmp_path)
    grow_old(tmp_path, 10 * lease.seconds)
    lease.renew()
    elsewhere(tmp_path)
    assert take_lease(tmp_path) is None
    lease.release()


def test_a_clock_that_was_set_back_keeps_no_lease_for_ever(tmp_path: Path) -> None:
    lease = taken(tmp_path)
    elsewhere(tmp_path)
    grow_old(tmp_path, -2 * lease.seconds)
    taken(tmp_path).release()


def test_a_dead_holders_lease_is_free_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    token = holder.stdout.readline().strip()
    assert take_lease(tmp_path) is None
    holder.kill()
    holder.wait()
    lease = taken(tmp_path)
    assert lease.token != token
    lease.release()


def test_a_holder_that_was_late_keeps_what_nobody_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, now = taken(tmp_path), module._clock()
    grow_old(tmp_path, 2 * lease.seconds)
    monkeypatch.setattr(module, "_clock", lambda: now + 2 * lease.seconds)
    check_leases()
    assert files(tmp_path) == ["lease-2"], "by a number of its own, lest somebody takes it now"
    lease.release()


def test_a_holder_that_was_late_does_not_revive_what_others_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, now = taken(tmp_path), module._clock()
    elsewhere(tmp_path)
    grow_old(tmp_path, late.seconds)
    taken(tmp_path).release()
    assert files(tmp_path) == []
    monkeypatch.setattr(module, "_clock", lambda: now + 2 * late.seconds)
    with pytest.raises(LeaseLost):
        confirm_lease(tmp_path)
    late.release()


@pytest.mark.parametrize("torn", [b"", b'{"token": "ab', b"\x00" * 200, None])
def test_a_torn_or_deleted_lease_stays_its_holders_who_mends_it(
    tmp_path: Path, torn: bytes | None
) -> None:
    lease = taken(tmp_path)
    path = tmp_path / "lease-1"
    if torn is None:
        path.unlink()
    else:
        path.write_bytes(torn)
        assert take_lease(tmp_path) is None
    confirm_lease(tmp_path)
    found = find_lease(tmp_path)
    assert found is not None
    assert found.content is not None
    assert found.content.token == lease.token
    assert take_lease(tmp_path) is None
    lease.release()
    assert files(tmp_path) == []


def test_a_torn_lease_of_nobody_lapses(tmp_path: Path) -> None:
    (tmp_path / "lease-7").touch()
    assert take_lease(tmp_path) is None
    grow_old(tmp_path, module.SECONDS)
    taken(tmp_path).release()
    assert files(tmp_path) == []


def test_a_lease_is_handed_on_and_ends_with_whoever_took_it(tmp_path: Path) -> None:
    lease = taken(tmp_path)
    shared = share_lease(tmp_path, lease.token)
    for each in (lease, shared):
        each.renew()
        each.check()
    found = find_lease(tmp_path)
    assert found is not None
    assert found.content is not None
    assert len(found.content.holders) == 2
    shared.release()
    assert is_leased(tmp_path)
    again = share_lease(tmp_path, lease.token)
    (tmp_path / "lease-3").write_bytes(b"")  # before its taker knows of this number
    lease.renew()
    lease.check()
    again.release()
    lease.release()
    assert not is_leased(tmp_path)
    with pytest.raises(LeaseLost):
        share_lease(tmp_path, lease.token)


def test_of_two_that_saw_the_same_lapsed_lease_one_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked before the first took over, worked, and was done."""
    old = taken(tmp_path)
    elsewhere(tmp_path)
    grow_old(tmp_path, old.seconds)
    seen, look = find_lease(tmp_path), find_lease
    first = taken(tmp_path)
    monkeypatch.setattr(module, "find_lease", lambda folder: seen)
    assert take_lease(tmp_path) is None
    with monkeypatch.context() as real:
        real.setattr(module, "find_lease", look)
        first.release()
    monkeypatch.setattr(module, "find_lease", lambda folder: seen)
    assert take_lease(tmp_path) is None
    assert files(tmp_path) == []
    monkeypatch.setattr(module, "find_lease", lambda folder: None)
    fresh = taken(tmp_path)
    (tmp_path / "lease-1").rename(tmp_path / "lease-5")
    assert take_lease(tmp_path) is None, "the listing was older than a lease that was taken over"
    assert files(tmp_path) == ["lease-5"]
    fresh.release()


def test_a_file_system_without_hard_links_or_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr("harness.records.files.fcntl.flock", refuse)
    lease = taken(tmp_path)
    assert take_lease(tmp_path) is None
    lease.release()
    assert files(tmp_path) == []


def test_the_length_of_a_lease_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("soon", "0", "-1", "inf"):
        monkeypatch.setenv(VARIABLE, text)
        with pytest.raises(RequestError, match=f"{VARIABLE}={text}: give a number of seconds"):
            take_lease(tmp_path)


def _race(folder: Path, most: int) -> None:
    """Count in the folder's file, one step for each lease; a second one at work is an error."""
    inside, counted = folder / "inside", folder / "count"
    for _ in range(most):
        while (lease := take_lease(folder / "job")) is None:
            time.sleep(0.001)
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        counted.write_text(str(int(counted.read_text()) + 1))
        inside.unlink()
        lease.release()


@pytest.mark.parametrize(
    ("racers", "turns"), [(3, 10), pytest.param(8, 500, marks=pytest.mark.long)]
)
def test_racers_have_one_turn_at_a_time(tmp_path: Path, racers: int, turns: int) -> None:
    (tmp_path / "count").write_text("0")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_race, args=(tmp_path, turns)) for _ in range(racers)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0] * racers
    assert (tmp_path / "count").read_text() == str(racers * turns)
