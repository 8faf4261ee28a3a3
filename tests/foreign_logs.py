"""Logs as other programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

EPOCHS, UTTERANCES, BATCH, EVERY = 40, 26_666, 64, 100
BEST = 33
"""The epoch of the lowest EER."""

STARTED = 1_795_000_000.0
"""Seconds of the epoch of Unix at which the training began."""


def write_campplus(folder: Path) -> None:
    """Write the curves of a CAM++ training on 26,666 utterances, by TensorBoard's own writer.

    Names, steps and shape are those of VoiceprintRecognition-Pytorch: a line of `Train/` every
    hundred batches, counted by itself, and one of `Test/` an epoch. The loss falls from 11 to 0.02,
    the EER from 0.45 to 0.2, and is lowest in epoch `BEST`.
    """
    random = np.random.default_rng(26_666)
    writer, logged = EventFileWriter(str(folder)), EPOCHS * (UTTERANCES // BATCH // EVERY)

    def add(name: str, value: float, step: int, seconds: float) -> None:
        summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
        writer.add_event(Event(wall_time=STARTED + seconds, step=step, summary=summary))

    for step in range(logged):
        done, seconds = step / (logged - 1), 40.0 * step
        noise = 0.08 * random.standard_normal() if 0 < done < 1 else 0.0
        rise, fall = min(1, (step + 1) / (logged / 8)), 0.5 + 0.5 * np.cos(np.pi * done)
        add("Train/Loss", 11 * (0.02 / 11) ** done * np.exp(noise), step, seconds)
        add("Train/Accuracy", 1 / (1 + np.exp(-14 * (done - 0.45))), step, seconds)
        add("Train/lr", 1e-3 * rise * fall + 1e-6, step, seconds)
    for epoch in range(EPOCHS):
        away, seconds = abs(epoch - BEST) / BEST, 40.0 * (epoch + 1) * logged / EPOCHS
        add("Test/eer", 0.2 + 0.25 * away**2, epoch, seconds)
        add("Test/min_dcf", 0.82 + 0.17 * away**2, epoch, seconds)
        add("Test/threshold", 0.62 - 0.2 * away, epoch, seconds)
    writer.close()
