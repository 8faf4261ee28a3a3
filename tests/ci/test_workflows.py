"""The workflows as YAML, held against the commands and versions that the project promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.places import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[str, Any]:
    """A workflow with every scalar as its text: YAML 1.1 takes the key `on` for true."""
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
    assert isinstance(document, dict)
    return document


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_what_a_night_leaves_in_a_mounted_checkout_is_not_hidden() -> None:
    """A volume of the image would take the place of the folder, and go with the container."""
    image = (ROOT / "ci" / "Dockerfile").read_text()
    assert not re.search(r"^VOLUME", image, re.MULTILINE)
    (night,) = (each for each in steps(read(ROOT / ".github/workflows/nightly.yml"))
                if each.get("name") == "Night")  # fmt: skip
    assert '--volume "$PWD:/app"' in night["run"]
    assert night["env"]["OUT"].startswith("runs/")


def test_the_nights_image_can_ask_a_gpus_driver() -> None:
    """Without NVML there are no joules, and nobody notices a throttled card."""
    image = (ROOT / "ci" / "Dockerfile").read_text()
    assert "-r requirements.lock" in image
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in image
    locked = (ROOT / "requirements.lock").read_text()
    assert re.search(r"^nvidia-ml-py==", locked, re.MULTILINE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert [each for each in extras["gpu"] if each.startswith("nvidia-ml-py")]


def test_the_image_says_what_cuda_its_lock_brings() -> None:
    image = (ROOT / "ci" / "Dockerfile").read_text()
    (told,) = re.findall(r"^ARG CUDA=(.+)$", image, re.MULTILINE)
    locked = (ROOT / "requirements.lock").read_text()
    (brought,) = re.findall(r"^nvidia-cuda-runtime==(\d+\.\d+)\.", locked, re.MULTILINE)
    assert told == brought
    assert 'trialboard.cuda="${CUDA}"' in image
    assert f"`CUDA` | `{told}`" in (ROOT / "docs" / "nightly.md").read_text()


def test_the_image_computes_without_rights_on_locked_wheels() -> None:
    image = (ROOT / "ci" / "Dockerfile").read_text()
    assert re.findall(r"^USER (.+)$", image, re.MULTILINE) == ["harness"]
    installs = [line for line in image.splitlines() if "pip install" in line]
    assert [("--require-hashes" in line or "--no-deps" in line) for line in installs] == [True] * 2


def test_the_night_is_kept_and_ends_before_the_runner_ends_it() -> None:
    (job,) = read(ROOT / ".github" / "workflows" / "nightly.yml")["jobs"].values()
    (night,) = [step for step in job["steps"] if step.get("name") == "Night"]
    (upload,) = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == night["env"]["OUT"]
    (hours,) = re.findall(r"\|\| '(\d+)'", night["env"]["HOURS"])
    assert 60 * int(hours) < int(job["timeout-minutes"])
    for name in night["env"].keys() - {"DATA"}:
        assert f"--env {name} " in night["run"]


@pytest.fixture(scope="module")
def tests() -> dict[str, Any]:
    return read(ROOT / ".github" / "workflows" / "tests.yml")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_ends_and_says_what_it_may_do(path: Path) -> None:
    workflow = read(path)
    assert workflow["name"] == path.stem
    assert set(workflow["permissions"]) == {"contents"}
    for job in workflow["jobs"].values():
        assert int(job["timeout-minutes"]) > 0
        assert job["runs-on"]
        for step in job["steps"]:
            assert ("uses" in step) is not ("run" in step)
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))


def test_tests_run_for_each_pull_request_and_each_push_to_main(tests: dict[str, Any]) -> None:
    assert set(tests["on"]) == {"pull_request", "push"}
    # Without a filter of paths or branches: every pull request.
    assert tests["on"]["pull_request"] == ""
    assert tests["on"]["push"] == {"branches": ["main"]}
    assert tests["permissions"] == {"contents": "read"}
    assert tests["concurrency"]["cancel-in-progress"] == "true"


def test_the_commands_are_those_that_people_are_told_to_give(tests: dict[str, Any]) -> None:
    commands = [step["run"] for step in steps(tests) if "run" in step]
    assert commands == ["make test", ".venv/bin/harness board check"]
    assert "make test" in (ROOT / "README.md").read_text()
    targets = re.findall(r"(?m)^([a-z -]+):", (ROOT / "Makefile").read_text())
    assert "test" in {name for target in targets for name in target.split()}


def test_the_oldest_and_the_newest_python_are_tried(tests: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert found
    (job,) = tests["jobs"].values()
    wanted = [f"3.{found[1]}", f"3.{int(found[2]) - 1}"]
    assert job["strategy"]["matrix"] == {"python": wanted}
    (setup,) = [step["with"] for step in steps(tests) if "setup-python" in step.get("uses", "")]
    assert setup["python-version"] == "${{ matrix.python }}"
    assert (ROOT / setup["cache-dependency-path"]).is_file()
