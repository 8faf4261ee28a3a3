"""Jobs in containers, where a Docker engine answers: the image is a root with nothing in it."""

from __future__ import annotations

import io
import os
import signal
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RequestError
from harness.run.execute.containers import CALLER, DockerExecutor
from harness.run.execute.executor import Answer
from tests.places import ROOT
from tests.run.execute.elsewhere import (
    Asked,
    add_executor,
    add_greedy,
    documented,
    engine,
    job_of,
    python_folders,
)
from tests.run.execute.test_supervisor import wait_until
from tests.tiny import PATIENCE, TinyBenchmark, ended, metrics_of

LINKS = {"lib": "usr/lib", "lib64": "usr/lib64", "bin": "usr/bin"}
"""All that the image holds: libraries are this machine's, mounted to read."""


def _client() -> Any:
    docker = pytest.importorskip("docker", reason="the extra docker is not installed")
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    if not Path("/lib").is_symlink():
        pytest.skip("this machine's libraries are not below /usr, which is mounted")
    return client


@pytest.fixture(scope="module")
def fields() -> Iterator[dict[str, Any]]:
    """The table of an executor whose image is made here."""
    client, packed = _client(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, target in LINKS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    told = client.api.import_image_from_data(
        packed.getvalue(), repository="trialboard-tests", changes=[f"ENV PYTHONPATH={ROOT}"]
    )
    image = client.images.get("trialboard-tests:latest")
    assert image.id in told
    mounts = ["/usr", str(ROOT), *python_folders()]
    yield {"image": image.id, "python": sys.executable, "mounts": mounts, "memory_gb": 3.0}
    client.images.remove(image.id, force=True)


def containers() -> list[Any]:
    return list(_client().containers.list(all=True, filters={"label": CALLER}))


def answer_of(asked: Asked) -> Answer:
    answer = asked.ended()
    assert answer is not None
    return answer


@pytest.mark.long
def test_a_job_in_a_container_has_the_same_result(
    tiny: TinyBenchmark, fields: dict[str, Any]
) -> None:
    lines = [f"{name} = {value!r}" for name, value in fields.items()]
    add_executor(tiny, "docker", "\n".join(lines))
    unbroken = tiny.forget("tiny", 7)
    done = tiny.run(*documented("docker"), HF_TOKEN="a-secret-of-mine")
    assert done.status == 0, done.err
    assert metrics_of(tiny.record("tiny", 7)) == metrics_of(unbroken)
    assert tiny.record_path("tiny", 7).stat().st_uid == os.getuid()
    assert containers() == []
    for path in tiny.runs.rglob("*"):
        assert path.is_dir() or b"a-secret-of-mine" not in path.read_bytes()


@pytest.mark.long
def test_what_a_container_may(
    tiny: TinyBenchmark, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.forget("tiny", 7)
    asked = standing(tiny, fields, monkeypatch)
    (container,) = containers()
    found = container.attrs["HostConfig"]
    assert (found["NetworkMode"], found["ReadonlyRootfs"]) == ("none", True)
    assert (found["Memory"], found["NanoCpus"]) == (3 * 2**30, 10**9)
    written = [each["Destination"] for each in container.attrs["Mounts"] if each["RW"]]
    assert written == [str(tiny.runs)]
    environment = container.attrs["Config"]["Env"]
    assert {each.partition("=")[0] for each in environment} <= {"HOME", "PATH", "PYTHONPATH"}
    asked.executor.stop()
    assert asked.ended() is None
    assert containers() == []


@pytest.mark.long
def test_a_job_that_takes_too_much_memory_is_out_of_it(
    tiny: TinyBenchmark, fields: dict[str, Any]
) -> None:
    add_greedy(tiny)
    answer = answer_of(Asked(engine("docker", **fields), job_of(tiny, "greedy")))
    assert (answer.result, answer.state) == (None, "oom")
    assert "more" in answer.why
    assert containers() == []


@pytest.mark.long
def test_a_killed_caller_leaves_no_container(tiny: TinyBenchmark, fields: dict[str, Any]) -> None:
    tiny.forget("tiny", 7)
    gate = tiny.runs / "gate"
    lines = [f"{name} = {value!r}" for name, value in fields.items()]
    lines += ['environment = ["TINY_GATE"]', "orphan_seconds = 6.0"]
    add_executor(tiny, "docker", "\n".join(lines))
    command = tiny.start(*documented("docker"), TINY_GATE=f"{gate}:3")
    wait_until(lambda: gate.exists() or command.poll() is not None, seconds=PATIENCE)
    assert command.poll() is None, ended(command)
    command.send_signal(signal.SIGKILL)
    ended(command)
    # By itself, since nobody touches the file of the caller: the container ends ...
    wait_until(lambda: all(each.status == "exited" for each in containers()), seconds=60)
    # ... and is removed by the next executor.
    engine("docker", **fields)
    assert containers() == []


def standing(tiny: TinyBenchmark, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A job that stands still in its third step."""
    gate = tiny.runs / "gate"
    monkeypatch.setenv("TINY_GATE", f"{gate}:3")
    asked = Asked(engine("docker", environment=["TINY_GATE"], **fields), job_of(tiny))
    asked.wait(gate.exists)
    return asked


def test_an_image_that_may_change_is_refused() -> None:
    with pytest.raises(RequestError, match=r"'python:3' names no fixed image; give its digest"):
        DockerExecutor("cpu", 1, image="python:3")


def test_an_engine_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("docker", reason="the extra docker is not installed")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(RequestError, match=r"no engine answers: .*set \$DOCKER_HOST"):
        DockerExecutor("cpu", 1, image=f"sha256:{'0' * 64}")
