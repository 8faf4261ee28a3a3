"""Jobs on a real Ray cluster: two nodes on this machine, one of which is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RequestError
from harness.measure.device import cores
from harness.run.execute.ray_cluster import RayExecutor
from tests.run.execute.conftest import NAME, marked
from tests.run.execute.elsewhere import Asked, documented, engine, job_of
from tests.tiny import TinyBenchmark, metrics_of

ray = pytest.importorskip("ray", reason="the extra ray is not installed")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with room for one job each, beside a head that takes none."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    made.add_node(num_cpus=cores(), resources={"first": 1})
    made.add_node(num_cpus=cores(), resources={"second": 1})
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def address(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return str(cluster.address)


def standing(
    tiny: TinyBenchmark, gate: Path, monkeypatch: pytest.MonkeyPatch, mark: str, **fields: Any
) -> Asked:
    """A job that stands still in step 10, its processes marked."""
    tiny.forget("tiny", 7)
    monkeypatch.setenv("TINY_GATE", f"{gate}:10")
    monkeypatch.setenv(NAME, mark)
    asked = Asked(engine("ray", environment=["TINY_GATE", NAME], **fields), job_of(tiny))
    asked.wait(lambda: gate.exists() and gate.read_text() != "")
    monkeypatch.delenv(NAME)
    return asked


def test_a_job_of_a_cluster_has_the_same_result(tiny: TinyBenchmark, address: str) -> None:
    unbroken = tiny.forget("tiny", 7)
    done = tiny.run(*documented("ray"), RAY_ADDRESS=address)
    assert done.status == 0, done.err
    assert metrics_of(tiny.record("tiny", 7)) == metrics_of(unbroken)


@pytest.mark.usefixtures("address")
def test_a_job_that_fails_says_why(tiny: TinyBenchmark) -> None:
    asked = Asked(engine("ray", resources={"second": 1.0}), job_of(tiny, "raise"))
    answer = asked.ended()
    assert answer is not None
    assert (answer.result, answer.state) == (None, "failed")
    assert answer.why == "ValueError: the layer is out of order"


@pytest.mark.usefixtures("address")
def test_a_caller_that_stops_ends_its_task(
    tiny: TinyBenchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    asked = standing(tiny, tmp_path / "gate", monkeypatch, mark)
    assert marked(mark)
    asked.executor.stop()
    assert asked.ended() is None
    deadline = time.monotonic() + 60
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marked(mark) == []


@pytest.mark.usefixtures("address")
def test_a_job_whose_node_is_lost_goes_on_elsewhere(
    tiny: TinyBenchmark,
    cluster: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mark: str,
) -> None:
    unbroken, gate = metrics_of(tiny.record("tiny", 7)), tmp_path / "gate"
    third = cluster.add_node(num_cpus=1, resources={"spare": 1})
    fourth = cluster.add_node(num_cpus=1, resources={"spare": 1})
    asked = standing(tiny, gate, monkeypatch, mark, resources={"spare": 1.0})
    first = gate.read_text()
    # Its node is the one without a free processor.
    busy = next(each for each in (third, fourth) if _is_busy(each.node_id))
    cluster.remove_node(busy, allow_graceful=False)
    asked.wait(lambda: gate.read_text() not in ("", first))
    answer = asked.let_through(gate)
    assert answer.result is not None, answer
    assert metrics_of(answer.result) == unbroken


def _is_busy(node: str) -> bool:
    from ray._private.state import available_resources_per_node

    return available_resources_per_node()[node].get("spare", 0.0) == 0.0


def test_a_cluster_that_is_not_there_is_told(tiny: TinyBenchmark) -> None:
    if ray.is_initialized():
        ray.shutdown()
    lonely = RayExecutor("cpu", 1, address="127.0.0.1:1")
    with pytest.raises(RequestError, match=r"--executor ray: no cluster at 127\.0\.0\.1:1"):
        lonely.ask(job_of(tiny), "cpu", print)
