"""The scores that attestations bring, judged again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.board.made_again import lacking
from harness.board.record_paths import scores_path
from harness.board.record_store import RECORDS
from harness.records.attestation import Attestation, find_attestations, read_attestation
from harness.records.record import Record
from harness.records.signature import SIGNERS, read_signers
from harness.registry.rescoring import Rescoring, UnusableError

TOLERANCE = 1e-9
"""The difference that rounding may make: processors round sums of logarithms differently."""


def is_near(one: float, other: float) -> bool:
    """Return True if two numbers are the same up to rounding."""
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def wrong_scores_of(path: Path, told: Attestation, again: Rescoring) -> Iterator[str]:
    """Say in what an attestation differs from the scores that it brings; nothing if it has none.

    Args:
        path: the attestation; its scores lie beside it.
        told: its content.
        again: lists and task of the record that it is of.
    """
    scores = path.with_name(scores_path(path.name))
    if not scores.is_file():
        return
    try:
        found = replace(again, path=scores).judge().metrics.get(told.metric)
    except UnusableError as error:
        yield str(error)
        return
    if found is None or not is_near(found.value, told.reproduced):
        value = f"{found.value:.12g}" if found else "none"
        yield f"reproduced is {told.reproduced:.12g}, its scores give {value}"


def attestation_differences(record: Path, again: Rescoring) -> Iterator[str]:
    """Say in what the attestations beside a record differ from the scores that they bring.

    Raises:
        RequestError: one is no attestation.
    """
    for path in find_attestations(record):
        told = read_attestation(path)
        yield from (f"{path.name}: {line}" for line in wrong_scores_of(path, told, again))


def idle_attestations(path: Path, record: Record) -> Iterator[str]:
    """Name the attestations beside a published record that do not lift it, and why.

    Args:
        path: the record's file; nothing is said of one that is not published.
        record: its content.

    Raises:
        RequestError: the signers file holds something else.
    """
    folder = next((each.parent for each in path.parents if each.name == RECORDS), None)
    found = find_attestations(path)
    if folder is None or not found:
        return
    signers = read_signers(folder / SIGNERS)
    for each in found:
        if why := lacking(each, path, record, signers):
            yield f"{each.name} lifts nothing: {why}"
