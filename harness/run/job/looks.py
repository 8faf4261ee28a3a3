"""How often a test set was looked at, and how many configurations were tried on it.

Every evaluation is noted beside the records of its dataset before its scores are known, so that
a look that fails afterwards counts too, and clearing caches forgets none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.records.documents import canonical_json
from harness.records.files import append_text, lock, read_text
from harness.run.job.spec import JobSpec

LOOKS = "test-looks.jsonl"


@dataclass(frozen=True)
class Looks:
    """What is known of the looks of one system (model and loss) at one test set.

    Attributes:
        test: how often it was scored there with this seed, this time included.
        configurations: how many recipes or checkpoints of it were scored there.
    """

    test: int
    configurations: int


def count_look(spec: JobSpec, evaluation: str) -> Looks:
    """Note that a system is scored on test, and count.

    Args:
        spec: the job.
        evaluation: tells this evaluation from others.
    """
    path = spec.folder.parent.parent / LOOKS
    entry = {
        "model": spec.model.name,
        "loss": spec.loss.name if spec.loss else None,
        "seed": spec.seed,
        "recipe": spec.recipe_name,
        "configuration": spec.configuration,
        "evaluation": evaluation,
    }
    with lock(path):
        append_text(path, canonical_json(entry) + "\n")
        looks = [json.loads(line) for line in read_text(path).splitlines()]
    same = [look for look in looks if _system(look) == _system(entry)]
    return Looks(
        test=sum(look["seed"] == spec.seed for look in same),
        configurations=len({look["configuration"] for look in same}),
    )


def _system(look: Mapping[str, object]) -> tuple[object, object]:
    return look["model"], look["loss"]
