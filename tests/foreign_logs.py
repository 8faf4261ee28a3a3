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


def write_training(folder: Path, kind: str) -> Path:
    """Write the CSV log of a speaker training: a row an epoch.

    Args:
        folder: where it goes.
        kind: `healthy`, learns and carries over; `memorised`, learns its speakers by heart;
            `diverged`, its loss ceases to be finite; `stopped`, ends while it still improves.
    """
    random = np.random.default_rng(list(kind.encode()))
    epochs = {"stopped": 12}.get(kind, EPOCHS)
    rows = ["epoch,train_loss,train_acc,lr,val_eer,val_threshold"]
    for epoch in range(1, epochs + 1):
        done = epoch / EPOCHS
        limit, speed = {"memorised": (0.2, 12.0)}.get(kind, (0.02, 5.0))
        error = limit + (0.45 - limit) * np.exp(-speed * done) + 0.002 * random.standard_normal()
        error += 0.05 * max(0.0, done - 0.4) if kind == "memorised" else 0.0
        loss = 9 * np.exp(-4 * done) + 0.3 + 0.05 * random.standard_normal()
        accuracy = min(1.0, (1.0 if kind == "memorised" else 0.97) * (1 - np.exp(-8 * done)))
        accuracy = 1.0 if kind == "memorised" and done > 0.6 else accuracy
        rate = 1e-3 * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-6
        threshold = 0.5 - 0.3 * np.exp(-8 * done) + 0.004 * random.standard_normal()
        cells = [loss, accuracy, rate, error, threshold]
        if kind == "diverged" and epoch > 15:
            cells = [np.nan, 0.001, rate, 0.5, 0.0]
        rows.append(",".join([str(epoch), *(f"{cell:.6g}" for cell in cells)]))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
