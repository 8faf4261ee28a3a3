"""Inputs made ahead are those that a step would make itself, whoever makes them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from harness.adapter import Fbank
from harness.config.recipe_tables import Augment
from harness.errors import ConfigError, JobFailed
from harness.feeding.effects import mask_features
from harness.feeding.feeder import AHEAD, Feeder, arrays, pickle_maker, tensors
from harness.feeding.log_mel import LogMel
from harness.feeding.step_inputs import step_seed
from tests.feeding.feeding import FULL, maker
from tests.tiny import is_alive

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    maker(folder)
    return folder


def taken(made, steps, workers=0):
    with Feeder(made, steps, CPU, workers) as feeder:
        return [feeder.take() for _ in steps]


@pytest.mark.parametrize(
    "augment",
    [
        pytest.param(Augment(), marks=pytest.mark.long),
        pytest.param(Augment(frequency_mask=3, time_mask=2), marks=pytest.mark.long),
        FULL,
    ],
)
@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.long), 2])
def test_what_is_fed_does_not_depend_on_who_makes_it(packs, augment, workers):
    made = maker(packs, augment)
    for step, found in zip(range(2, 7), taken(made, range(2, 7), workers), strict=True):
        wanted = made.inputs(step)
        for left, right in zip(found[:3], wanted[:3], strict=True):
            assert torch.equal(left, right)
        assert found.mixed is wanted.mixed is None


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.long)])
def test_mixed_items_are_fed_alike(packs, workers):
    made = maker(packs, Augment(mixup=1.0))
    plain = maker(packs, Augment())
    for step, found in enumerate(taken(made, range(3), workers)):
        wanted, alone = made.inputs(step), plain.inputs(step)
        assert torch.equal(found.values, wanted.values)
        assert all(map(torch.equal, found.mixed, wanted.mixed))
        assert torch.equal(found.labels, alone.labels)
        assert not torch.equal(found.values, alone.values)
        assert torch.equal(found.random_state, alone.random_state)
        assert found.batch.mix_labels is found.mixed.labels
        assert alone.batch.mix_labels is None


def test_neither_does_it_depend_on_the_threads_of_the_caller(packs):
    """Crops are long enough for a Fourier transform to be parted among threads."""
    made, before = maker(packs, FULL, Fbank(), 0.5), torch.get_num_threads()
    found = taken(made, range(4), workers=1)
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            for step, again in enumerate(taken(made, range(4))):
                assert torch.equal(again.values, found[step].values)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_it_is_what_a_step_makes_that_seeds_itself(packs):
    """As the loop did before inputs were made ahead: dither, masks, then the network's dropout."""
    augment, declared = Augment(frequency_mask=3, time_mask=2), Fbank(bins=8, dither=1.0)
    made = maker(packs, augment, declared)
    with Feeder(made, range(3), CPU) as feeder:
        for step in range(3):
            raw, labels = made.batches.at(step)
            torch.manual_seed(step_seed(3, step))
            wanted = mask_features(LogMel(declared).train()(raw), declared, augment)
            dropout = torch.rand(9)
            torch.manual_seed(step_seed(3, step))
            found = feeder.take()
            assert torch.equal(found.values, wanted)
            assert torch.equal(found.labels, labels)
            assert torch.equal(torch.rand(9), dropout)


def test_on_a_device_crops_are_prepared_with_its_own_generator(packs):
    """The way of a GPU, on the processor: as if the step's own generator had been seeded."""
    made = maker(packs)
    torch.manual_seed(step_seed(3, 4))
    values = made.prepare(made.crops(4).to(CPU), None)
    wanted = made.inputs(4)
    assert torch.equal(values, wanted.values)
    assert torch.equal(torch.get_rng_state(), wanted.random_state)


def test_inputs_are_of_one_shape_and_finite(packs):
    made = maker(packs)
    for step in range(4):
        found = made.inputs(step)
        assert found.values.shape == (4, 3, 8)
        assert torch.isfinite(found.values).all()


def test_a_speed_makes_classes_of_its_own(packs):
    made = maker(packs)
    seen = set()
    for step in range(40):
        crops = made.crops(step)
        plain = crops.labels - 3 * crops.speeds
        assert torch.equal(plain, maker(packs, Augment()).crops(step).labels)
        seen |= set(crops.labels.tolist())
    assert seen == set(range(9))


def test_crops_are_as_long_as_their_speed_takes(packs):
    made = maker(packs)
    crops = made.crops(0)
    lengths = {0: 720, 1: 800, 2: 880}
    for row, place in zip(crops.content, crops.speeds.tolist(), strict=True):
        assert torch.count_nonzero(row[lengths[place] :]) == 0
        assert torch.count_nonzero(row[: lengths[place]]) > 700


def test_no_more_is_made_than_may_be_ahead(packs):
    made, asked = maker(packs, Augment()), []

    @dataclass(frozen=True)
    class Watched(type(made)):
        def crops(self, step):
            asked.append(step)
            return super().crops(step)

    watched = Watched(**vars(made))
    with Feeder(watched, range(50), CPU) as feeder:
        feeder.take()
        while len(asked) < 1 + AHEAD:
            time.sleep(0.01)
        time.sleep(0.1)
        assert asked == list(range(1 + AHEAD))


def test_nothing_is_made_after_the_last_step(packs):
    with Feeder(maker(packs), range(1), CPU) as feeder:
        feeder.take()
        with pytest.raises(IndexError):
            feeder.take()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_reaches_the_caller_as_itself(packs, workers):
    whole = maker(packs, Augment())
    broken = replace(whole, batches=replace(whole.batches, batch=2, crop_seconds=None))
    odd = replace(broken.batches.subset, after=broken.batches.subset.after.copy())
    odd.after[::2] += 1  # items of two lengths, which cannot share a batch
    broken = replace(broken, batches=replace(broken.batches, subset=odd, batch=6))
    with Feeder(broken, range(3), CPU, workers) as feeder, pytest.raises(ConfigError) as caught:
        feeder.take()
    assert "cannot share a batch" in str(caught.value)
    assert not str(caught.value).startswith("Caught")


def test_a_worker_that_dies_is_told(packs):
    with Feeder(maker(packs), range(9), CPU, 1) as feeder:
        feeder.take()
        for process in feeder._pool._processes.values():
            process.kill()
        with pytest.raises(JobFailed, match="a process that made training inputs died"):
            [feeder.take() for _ in range(8)]


def test_workers_end_with_their_parent(packs, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            from pathlib import Path
            import torch
            from harness.feeding.feeder import Feeder
            from tests.feeding.feeding import maker

            if __name__ == "__main__":
                feeder = Feeder(maker(Path({str(packs)!r})), range(9), torch.device("cpu"), 1)
                feeder.take()
                print(*feeder._pool._processes, flush=True)
                time.sleep(300)
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    until = time.monotonic() + 60
    while is_alive(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(worker)


def test_a_pack_travels_by_the_name_of_its_file(packs):
    made = maker(packs)
    size = made.batches.subset.pack.values.nbytes + made.disturber.noises.pack.values.nbytes
    packed = pickle_maker(made)
    assert len(packed) < size / 50
    again = pickle.loads(packed)
    assert isinstance(again.batches.subset.pack.values, np.memmap)
    assert torch.equal(again.inputs(1).values, made.inputs(1).values)


def test_a_part_of_a_file_travels_as_what_it_holds(packs):
    """Its place in the file is not known from the array."""
    made = maker(packs, Augment())
    pack = made.batches.subset.pack
    part = replace(pack, values=pack.values[2400:], offsets=np.array([0, 2400]))
    subset = replace(made.batches.subset, pack=part, rows=np.array([0]), after=np.array([1]))
    subset = replace(subset, items=subset.items[:1])
    made = replace(made, batches=replace(made.batches, subset=subset))
    again = pickle.loads(pickle_maker(made))
    assert torch.equal(again.crops(0).content, made.crops(0).content)


def test_arrays_and_tensors(packs):
    crops = maker(packs).crops(0)
    there = tensors(arrays(crops))
    assert type(there) is type(crops)
    assert torch.equal(there.disturbance.noise, crops.disturbance.noise)
    assert tensors(arrays(crops._replace(disturbance=None))).disturbance is None


def test_waiting_is_counted(packs):
    with Feeder(maker(packs), range(3), CPU) as feeder:
        assert feeder.waited == 0
        feeder.take()
        assert feeder.waited > 0
