"""A whole call, watched from inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.config.loader import load
from harness.errors import ConfigError, CorpusAbsent, DataError
from harness.run.events import ProgressEvent
from harness.run.plan.request import RunRequest
from harness.run.session import run_suite
from tests.tiny import TinyBenchmark, make_tiny

pytestmark = pytest.mark.usefixtures("preloaded_workers")


@dataclass
class Watch:
    """Writes down all that it is told."""

    seen: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    decoded: int = 0

    def receive(self, event: ProgressEvent) -> None:
        if event.kind == "message":
            self.told.append(event.text)
        elif event.kind == "reading":
            self.decoded = event.done
        elif event.kind != "advance":
            name = event.job.model.name if event.job else ""
            state = event.record.state if event.record else ""
            self.seen.append(f"{event.text or event.kind} {state or event.total or name or 0}")
        elif event.loss is not None:
            self.seen.append(f"step {event.done}")


def called(tiny: TinyBenchmark, **changes: object) -> tuple[int, Watch]:
    values = {"suite": "own", "losses": ("aam",), "seeds": (0,), "threads": 1, **changes}
    request = RunRequest(profile="quick", runs=tiny.runs, device="cpu", **values)  # type: ignore[arg-type]
    watch = Watch()
    outcome = run_suite(load(tiny.config), request, workers=1, watch=watch.receive)
    assert outcome.all_done
    assert [job.model.name for job in outcome.jobs] == [r.model.name for r in outcome.records]
    return len(outcome.ran), watch


def test_a_call_tells_its_stages_and_every_step(tiny: TinyBenchmark) -> None:
    tiny.forget("tiny", 0)
    ran, watch = called(tiny)
    # The corpus was copied elsewhere: it is decoded there once, and never again.
    assert (ran, watch.decoded) == (1, 48)
    assert [message.split(" are ")[0] for message in watch.told] == ["voices: 1.6 MB"]
    steps = [f"step {number}" for number in range(1, 13)]
    begun = ["jobs 1", "start tiny", "train 12", *steps]
    judged = ["evaluate validation 12", "evaluate test 20", "score 1"]
    assert watch.seen[: len(begun) + 3] == begun + judged
    assert watch.seen[-1] == "end done"
    assert called(tiny) == (0, Watch(seen=["jobs 0"], decoded=0))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"models": ("nobody",)}, ConfigError),
        ({"losses": ("nothing",)}, ConfigError),
        ({"settings": {"nokey": 1}}, ConfigError),
        ({"suite": "faulty", "datasets": ("elsewhere",)}, CorpusAbsent),
    ],
)
def test_a_wrong_request_decodes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], error: type
) -> None:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    tiny = make_tiny(tmp_path / "own")
    with pytest.raises(error):
        called(tiny, **changes)
    assert not tiny.runs.exists()
    assert not (tiny.folder / "benchmark.lock").exists()


def test_damaged_files_stop_the_call_before_any_training(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "own")
    (tiny.folder / "voices" / "s03-u1.flac").write_bytes(b"")
    with pytest.raises(DataError, match=r"s03-u1\.flac \(line 15\): the file is empty"):
        called(tiny)
    assert not (tiny.runs / "stages").exists()
