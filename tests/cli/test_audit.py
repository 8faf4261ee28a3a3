"""`harness audit` on a user's own runs: segments run again, differences found, or told why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from harness.cli.audit import audit
from harness.cli.run import run
from harness.measure.environment import environment
from harness.records.documents import digest, readable_json
from harness.records.record import Environment
from harness.train.kept_states import state_digest
from tests.tiny import TinyBenchmark

pytestmark = pytest.mark.usefixtures("preloaded_workers")

Call = Callable[..., Result]

APP = typer.Typer()
APP.command()(run)
APP.command()(audit)


@pytest.fixture
def call(tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Commands on the benchmark, from code that is in a commit; seed 0 is trained with states."""
    monkeypatch.setattr("harness.run.plan.protocol.code_version", lambda: "a" * 40)

    def called(*words: str) -> Result:
        return CliRunner().invoke(APP, tiny.arguments(*words))

    before = tiny.forget("tiny", 0)
    made = called(
        "run", "--suite", "own", "--loss", "aam", "--seeds", "0", "--device", "cpu",
        "--keep-states", "4",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    record = tiny.record("tiny", 0)
    assert record["artefacts"]["checkpoint"] == before["artefacts"]["checkpoint"]
    assert record["stages"]["train"]["key"] == before["stages"]["train"]["key"]
    return called


def audited(call: Call, tiny: TinyBenchmark, *words: str) -> tuple[int, Any]:
    done = call("audit", str(tiny.record_path("tiny", 0)), "--json", *words)
    assert done.exit_code in (0, 1), (done.output, done.exception)
    return done.exit_code, json.loads(done.stdout)


def elsewhere(*given: Any) -> Environment:
    """This environment on a processor of another class."""
    return environment(*given).model_copy(update={"processor": "Another Processor"})


def test_segments_are_audited_and_every_falsehood_is_found(tiny: TinyBenchmark, call: Call) -> None:
    train, path = tiny.stage(tiny.record("tiny", 0), "train"), tiny.record_path("tiny", 0)
    status, told = audited(call, tiny, "--share", "1")
    assert (status, told["answer"], told["share"], told["states"]) == (0, "audited", 1.0, 4), told
    status, told = audited(call, tiny, "--share", "0.01", "--seed", "5")
    assert (status, told["answer"], told["share"]) == (0, "audited", pytest.approx(1 / 3)), told

    # What promises no equal bits here is told before anything is run.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.run.plan.protocol.code_version", lambda: "b" * 40)
        status, told = audited(call, tiny)
        assert (status, told["answer"], told["reasons"]) == (0, "not auditable here", [
            "it was trained by the code aaaaaaaaaaaa, this is bbbbbbbbbbbb; check that out",
        ])  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.run.plan.protocol.environment", elsewhere)
        status, told = audited(call, tiny)
        assert (status, told["answer"]) == (0, "not auditable here")
        assert "it was trained in another environment: processor: then " in told["reasons"][0]
        assert ", here Another Processor" in told["reasons"][0]

    # The state of another step in the place of one.
    place = train / "state-4.pt"
    whole = place.read_bytes()
    place.write_bytes((train / "state-8.pt").read_bytes())
    status, told = audited(call, tiny, "--share", "1")
    assert (status, told["answer"]) == (0, "not auditable here")
    assert "state-4.pt: this is not the state that was kept" in told["reasons"][0]
    place.write_bytes(whole)

    # A weight that is changed under the hash that was kept.
    state = torch.load(place, weights_only=True)
    state["system"]["trunk.layer.bias"][0] += 1e-6
    torch.save(state, place)
    status, told = audited(call, tiny, "--share", "1")
    assert (status, told["answer"]) == (0, "not auditable here")
    assert "state-4.pt: this is not the state that was kept" in told["reasons"][0]

    # The same, and the lists of hashes say so: only running it again can tell.
    result = json.loads((train / "result.json").read_text())
    del result["own"]  # the hash of all the rest
    result["states"][1][1] = state_digest(state)
    (train / "result.json").write_text(readable_json(result))
    status, told = audited(call, tiny, "--share", "1")
    assert (status, told["reasons"]) == (
        0, ["the kept states here are not those that the record names"],
    )  # fmt: skip
    document = json.loads(path.read_text())
    document["artefacts"]["states"]["sha256"] = digest(result["states"])
    path.write_text(readable_json(document))
    status, told = audited(call, tiny, "--share", "1")
    assert (status, told["answer"]) == (1, "differs")
    assert told["reasons"][0].startswith("steps 1 to 4: they reach another state")

    place.write_bytes(whole)
    refused = call("audit", str(path), "--silence-minutes", "0")
    assert "--silence-minutes 0: give a number above 0" in str(refused.exception)
    tiny.edit("steps = 12", "steps = 10")
    status, told = audited(call, tiny)
    assert (status, told["answer"]) == (0, "not auditable here")
    assert "train.recipe.steps: recorded 12, planned 10" in told["reasons"][0]


def test_a_training_without_states_is_not_auditable(tiny: TinyBenchmark) -> None:
    record: Path = tiny.record_path("tiny", 7)
    done = CliRunner().invoke(APP, tiny.arguments("audit", str(record), "--json"))
    told = json.loads(done.stdout)
    assert (done.exit_code, told["answer"]) == (0, "not auditable here")
    assert "names no kept states" in told["reasons"][0]
    wrong = CliRunner().invoke(APP, tiny.arguments("audit", str(record), "--share", "2"))
    assert "over 0 and at most 1" in str(wrong.exception)
