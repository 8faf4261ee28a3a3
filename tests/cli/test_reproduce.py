"""`harness reproduce` on a user's own runs: made again, attested, or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from harness.board.record_paths import scores_path, signature_path
from harness.cli.reproduce import reproduce
from harness.errors import RequestError
from harness.records.attestation import find_attestations, read_attestation
from harness.records.documents import readable_json, sha256_file
from harness.records.signature import SIGNERS, SignatureError, read_signers
from tests.keys import list_key, make_key, needs_keys
from tests.tiny import TinyBenchmark

pytestmark = pytest.mark.usefixtures("preloaded_workers")

Call = Callable[..., Result]

APP = typer.Typer()
APP.command()(reproduce)


@pytest.fixture
def call(tiny: TinyBenchmark, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command on the benchmark, from code that is in a commit."""
    monkeypatch.setattr("harness.run.plan.protocol.code_version", lambda: "a" * 40)

    def called(record: Path, runs: str = "again", *words: str) -> Result:
        place = str(tiny.folder / runs)
        given = [str(record), "--runs", place, "--config", str(tiny.config), *words]
        return CliRunner().invoke(APP, given)

    return called


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(readable_json(document))
    return path


@needs_keys
def test_a_record_is_made_again_and_attested_beside_it(
    tiny: TinyBenchmark, call: Call, tmp_path: Path
) -> None:
    path = edited(tiny.record_path("tiny", 0), lambda r: r["dataset"].update(publish_scores=True))
    before, key = path.read_bytes(), make_key(tmp_path)
    done = call(path, "again", "--json", "--by", "A. Nother", "--sign", str(key))
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (
        told["recorded"] == told["reproduced"] == tiny.record("tiny", 0)["metrics"]["eer"]["value"]
    )
    assert told["within"]["rule"] == "equal"
    (beside,) = find_attestations(path)
    assert str(beside) == told["attestation"]
    attested = read_attestation(beside)
    assert (attested.by, attested.code, attested.same_checkpoint) == ("A. Nother", "a" * 40, True)
    made, first = json.loads(Path(told["made"]).read_text()), tiny.record("tiny", 0)
    assert attested.finished == made["finished"]
    assert made["stages"]["train"]["key"] == first["stages"]["train"]["key"]
    assert made["stages"]["train"]["finished"] != first["stages"]["train"]["finished"]
    assert path.read_bytes() == before
    assert attested.scores is not None
    scores = Path(told["scores"])
    assert scores == beside.with_name(scores_path(beside.name))
    assert sha256_file(scores) == attested.scores.sha256
    assert scores.read_bytes() == Path(told["made"]).with_name("scores.npz").read_bytes()
    signature = Path(told["signature"])
    assert signature == beside.with_name(signature_path(beside.name))
    list_key(tmp_path, key)
    signers, now = read_signers(tmp_path / SIGNERS), datetime.now(UTC)
    assert signers.verify(attested.chain, signature.read_text(), now).name == "ann"
    for changes in ({"by": "B"}, {"scores": None}, {"record": "f" * 64}):
        with pytest.raises(SignatureError):
            signers.verify(attested.model_copy(update=changes).chain, signature.read_text(), now)
    # What was made is no folder to make it again in.
    refused = call(path)
    assert isinstance(refused.exception, RequestError)
    assert "holds results already" in str(refused.exception)


@pytest.mark.long
def test_where_scores_may_not_lie_there_is_an_attestation_alone(
    tiny: TinyBenchmark, call: Call
) -> None:
    path = edited(tiny.record_path("tiny", 0), lambda r: r["dataset"].update(publish_scores=False))
    done = call(path, "again", "--json")
    told = json.loads(done.stdout)
    assert (told["scores"], told["signature"]) == (None, None)
    assert read_attestation(Path(told["attestation"])).scores is None
    assert "not signed: an attestation lifts its record once a listed key signed it" in done.stderr


@needs_keys
def test_a_key_that_signs_nothing_is_told_of_before_anything_runs(
    tiny: TinyBenchmark, call: Call, tmp_path: Path
) -> None:
    refused = call(tiny.record_path("tiny", 0), "again", "--sign", str(tmp_path / "none"))
    assert isinstance(refused.exception, RequestError)
    assert "cannot sign with it" in str(refused.exception)
    assert not (tiny.folder / "again").exists()


@pytest.mark.long
def test_a_record_that_comes_out_otherwise_is_not_attested(tiny: TinyBenchmark, call: Call) -> None:
    """Its scores are not beside it, so that only running it again can tell."""
    published = tiny.folder / "published" / "tiny.json"
    published.parent.mkdir()
    shutil.copy(tiny.record_path("tiny", 7), published)

    def flatter(document: dict[str, Any]) -> None:
        document["metrics"]["eer"] |= {"value": 0.001, "low": 0.0005, "high": 0.002}

    done = call(edited(published, flatter))
    assert done.exit_code == 1, done.output
    assert "wanted: 0.0005 to 0.002 (the record's 95 % interval" in done.stdout
    assert "not reproduced: nothing is attested" in done.stderr
    assert find_attestations(published) == []


def test_a_record_that_contradicts_its_scores_is_refused_at_once(
    tiny: TinyBenchmark, call: Call
) -> None:
    def flatter(document: dict[str, Any]) -> None:
        document["metrics"]["eer"] |= {"value": 0.001, "low": 0.0005, "high": 0.002}

    refused = call(edited(tiny.record_path("tiny", 7), flatter))
    assert isinstance(refused.exception, RequestError)
    assert "not as it was made: eer.value: recorded 0.001" in str(refused.exception)
    assert not (tiny.folder / "again").exists()


def test_another_benchmark_plans_another_job(tiny: TinyBenchmark, call: Call) -> None:
    tiny.edit("steps = 12", "steps = 10")
    refused = call(tiny.record_path("tiny", 0))
    assert isinstance(refused.exception, RequestError)
    assert "train.recipe.steps: recorded 12, planned 10" in str(refused.exception)
    assert "check out" in str(refused.exception)
    assert not (tiny.folder / "again" / "stages").exists()


def test_code_that_is_in_no_commit_attests_nothing(
    tiny: TinyBenchmark, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.run.plan.protocol.code_version", lambda: "a" * 40 + "+dirty")
    refused = call(tiny.record_path("tiny", 0))
    assert isinstance(refused.exception, RequestError)
    assert "in no commit attests nothing" in str(refused.exception)
    assert not (tiny.folder / "again" / "stages").exists()
