"""What is pinned stays pinned: every change is refused by name, with both hashes."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.datasets.lock import (
    DatasetLock,
    ProtocolLock,
    check_can_pin,
    check_dataset,
    dataset_pin,
    hold_dataset,
    hold_protocol,
    protocol_lock,
    read_lock,
)
from harness.errors import LockError, PathError

DATASET = DatasetLock(
    manifest="m" * 64,
    split="s" * 64,
    trials={"validation": "v" * 64, "test": "t" * 64},
    content="c" * 64,
    counts={"test": {"units": 3, "items": 9, "trials": 36, "targets": 9}},
)
PROTOCOL_HERE = ProtocolLock(version=1, digest="p" * 64)
PIN_MANY = """
import sys
from pathlib import Path
from harness.datasets.lock import DatasetLock, ProtocolLock, hold_dataset, hold_protocol

path, own = Path(sys.argv[1]), sys.argv[2]
for number in range(6):
    found = DatasetLock(manifest=own, split=str(number), trials={}, content="", counts={})
    hold_dataset(path, f"{own}{number}/quick", found)
    hold_protocol(path, f"suite/{own}{number}", ProtocolLock(version=1, digest=own))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "benchmark.lock"


def test_an_absent_lock_pins_nothing(path):
    assert read_lock(path).datasets == {}
    assert not path.exists()


def test_a_dataset_is_pinned_at_its_first_use(path):
    assert hold_dataset(path, "tiny/quick", DATASET)
    assert read_lock(path).datasets == {"tiny/quick": DATASET}
    before = path.read_bytes()
    assert not hold_dataset(path, "tiny/quick", DATASET)
    assert path.read_bytes() == before


def test_the_file_is_sorted_whatever_the_order_of_pinning(tmp_path):
    for name, order in (("one", "ab"), ("two", "ba")):
        for dataset in order:
            hold_dataset(tmp_path / name, f"{dataset}/quick", DATASET)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"manifest": "x"}, "manifest"),
        ({"split": "x"}, "split"),
        ({"trials": {"validation": "v" * 64, "test": "x"}}, "test trial list"),
        ({"trials": {"test": "t" * 64}}, "validation trial list"),
        ({"trials": {**DATASET.trials, "train": "x"}}, "train trial list"),
        ({"content": "x"}, "decoded content"),
    ],
)
def test_a_changed_part_is_refused_by_name_with_both_hashes(path, change, part):
    hold_dataset(path, "tiny/quick", DATASET)
    before = path.read_bytes()
    with pytest.raises(LockError) as caught:
        hold_dataset(path, "tiny/quick", DATASET.model_copy(update=change))
    message = str(caught.value)
    assert message.startswith(f"tiny/quick: the {part} is not the locked one\n")
    wanted, found = (line.split(": ")[1].strip() for line in message.splitlines()[1:3])
    assert wanted != found
    assert "x" in (wanted, found) or "none" in (wanted, found)
    assert str(path) in message
    assert path.read_bytes() == before


def test_content_that_is_not_known_yet_is_not_compared(path):
    lists_alone = DATASET.model_copy(update={"content": ""})
    check_dataset(DATASET, lists_alone, "tiny/quick", path)
    check_dataset(lists_alone, DATASET, "tiny/quick", path)


def test_the_digest_covers_every_part():
    changes = ({"manifest": "x"}, {"split": "x"}, {"trials": {}}, {"content": "x"}, {"counts": {}})
    digests = {DATASET.model_copy(update=change).digest for change in ({}, *changes)}
    assert len(digests) == 6


OLD = ProtocolLock(version=2, digest="a" * 64)


def test_a_protocol_is_pinned_and_held(path):
    for _ in range(2):
        hold_protocol(path, "speaker/quick/tiny", OLD)
    assert read_lock(path).protocols == {"speaker/quick/tiny": OLD}


@pytest.mark.parametrize("version", [1, 2])
def test_a_changed_protocol_without_a_raised_version_is_refused(path, version):
    hold_protocol(path, "speaker/quick/tiny", OLD)
    with pytest.raises(LockError, match=r"locked version 2 a{12}, found version \d b{12}\); raise"):
        hold_protocol(path, "speaker/quick/tiny", ProtocolLock(version=version, digest="b" * 64))
    assert read_lock(path).protocols["speaker/quick/tiny"] == OLD


def protocol(version, **parameters):
    return protocol_lock(version, {"task": "t", "parameters": {"p_target": 0.01, **parameters}})


def test_what_a_changed_protocol_changes_is_told(path):
    hold_protocol(path, "speaker/quick/tiny", protocol(2, c_miss=1.0, seed=3))
    with pytest.raises(LockError) as caught:
        hold_protocol(path, "speaker/quick/tiny", protocol(2, p_target=0.05, seed=3))
    assert str(caught.value).splitlines()[1:] == [
        "  parameters.c_miss: locked 1.0, found none",
        "  parameters.p_target: locked 0.01, found 0.05",
    ]


def test_a_protocol_pinned_without_what_it_rests_on_gains_it(path):
    new = protocol(2)
    hold_protocol(path, "p", ProtocolLock(version=2, digest=new.digest))
    hold_protocol(path, "p", new)
    assert read_lock(path).protocols["p"] == new


def test_every_changed_part_and_count_is_told(path):
    counts = {"test": {**DATASET.counts["test"], "items": 10, "targets": 8}}
    found = DATASET.model_copy(update={"manifest": "x", "split": "y", "counts": counts})
    with pytest.raises(LockError) as caught:
        check_dataset(DATASET, found, "tiny/quick", path)
    message = str(caught.value)
    assert "the manifest is not the locked one" in message
    assert "the split is not the locked one" in message
    assert "\n  test.items: locked 9, found 10\n  test.targets: locked 9, found 8\n" in message
    assert "trial list" not in message


def test_a_raised_version_is_pinned_anew(path):
    new = ProtocolLock(version=3, digest="b" * 64)
    hold_dataset(path, "tiny/quick", DATASET)
    hold_protocol(path, "speaker/quick/tiny", OLD)
    hold_protocol(path, "speaker/quick/tiny", new)
    assert read_lock(path).protocols["speaker/quick/tiny"] == new
    assert read_lock(path).datasets == {"tiny/quick": DATASET}


def test_processes_that_pin_at_once_lose_nothing(path):
    workers = [subprocess.Popen([sys.executable, "-c", PIN_MANY, path, own]) for own in "abc"]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    held = read_lock(path)
    assert set(held.datasets) == {f"{own}{number}/quick" for own in "abc" for number in range(6)}
    assert len(held.protocols) == 18


@pytest.mark.parametrize(
    "content",
    [b"[datasets", b"\xff\xfe", b"[datasets.a]\nmanifest = 3\n", b"[colours]\nred = 1\n"],
)
def test_a_broken_lock_is_refused_and_left_as_it_is(path, content):
    path.write_bytes(content)
    for use in (lambda: read_lock(path), lambda: hold_dataset(path, "tiny/quick", DATASET)):
        with pytest.raises(LockError, match=r"benchmark\.lock: not a lock file: (.|\n)*Restore it"):
            use()
    assert path.read_bytes() == content


def test_what_a_base_pins_holds_for_the_file_above_it(path, tmp_path):
    base = tmp_path / "base.lock"
    hold_dataset(base, "mini/quick", DATASET)
    changed = DATASET.model_copy(update={"content": "d" * 64})
    with pytest.raises(LockError, match="decoded content"):
        hold_dataset(path, "mini/quick", changed, (base,))
    assert hold_dataset(path, "mini/quick", DATASET, (base,)) is False
    assert read_lock(path).datasets == {}


def test_content_that_a_base_leaves_open_is_pinned_above_it(path, tmp_path):
    base = tmp_path / "base.lock"
    hold_dataset(base, "mini/quick", DATASET.model_copy(update={"content": ""}))
    assert hold_dataset(path, "mini/quick", DATASET, (base,)) is True
    assert dataset_pin(path, "mini/quick", (base,)) == (DATASET, path)


def test_what_is_pinned_is_held_where_nothing_can_be_written(path):
    hold_dataset(path, "tiny/quick", DATASET)
    hold_protocol(path, "suite/quick/tiny", PROTOCOL_HERE)
    spoil(path)
    assert not hold_dataset(path, "tiny/quick", DATASET)
    hold_protocol(path, "suite/quick/tiny", PROTOCOL_HERE)
    other = DATASET.model_copy(update={"content": "d" * 64})
    with pytest.raises(LockError, match="decoded content is not the locked one"):
        hold_dataset(path, "tiny/quick", other)
    changed = PROTOCOL_HERE.model_copy(update={"digest": "e" * 64})
    with pytest.raises(LockError, match="the protocol changed"):
        hold_protocol(path, "suite/quick/tiny", changed)


def test_what_cannot_be_pinned_tells_the_mend(path):
    spoil(path)
    for hold in (
        lambda: hold_dataset(path, "tiny/quick", DATASET),
        lambda: hold_protocol(path, "suite/quick/tiny", PROTOCOL_HERE),
    ):
        with pytest.raises(PathError, match=rf"{path}: .* is not pinned there yet: .*--config"):
            hold()


def test_a_dataset_that_could_not_be_pinned_is_refused_before_it_is_decoded():
    with pytest.raises(PathError, match=r"benchmark\.lock: .* is not pinned there yet"):
        check_can_pin(Path("/proc/benchmark.lock"), "tiny/quick")  # not even root writes there


def spoil(path):
    """Leave no way to take the lock of a file, not even for root."""
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    path.with_name(f"{path.name}.lock").mkdir()
