"""The image of the night, built and run where a Docker engine and images for it are at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.published_copy import git
from tests.places import ROOT

pytestmark = pytest.mark.long

GIVEN = {"BASE": "TRIALBOARD_BASE", "WHEELS": "TRIALBOARD_WHEELS"}
"""Argument of the build -> variable that names an image for it, as docs/nightly.md tells."""

NIGHT = {
    "HOME": "/tmp",
    "DEVICE": "cpu",
    "PROFILE": "quick",
    "SUITES": "image",
    "MEASURED": "",
    "REMOTE": "/remote",
    "OPTIONS": "--dataset digits --model efficientnet-b0 --set steps=20",
}


def docker(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    return subprocess.run(
        ["docker", *words], cwd=cwd, env=environment, text=True, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed."""
    folder = tmp_path_factory.mktemp("image")
    git(folder, "clone", "--quiet", str(ROOT), "checkout")
    git(folder, "clone", "--quiet", "--bare", "checkout", "remote")
    return folder / "checkout"


@pytest.fixture(scope="module")
def image(checkout: Path) -> Iterator[str]:
    missing = [name for name in GIVEN.values() if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no images to build from: set {' and '.join(missing)}")
    if shutil.which("docker") is None or docker("version").returncode:
        pytest.skip("no Docker engine answers")
    given = [f"--build-arg={name}={os.environ[place]}" for name, place in GIVEN.items()]
    built = docker(
        "build", "--network=none", "--file=ci/Dockerfile", "--tag=trialboard-tests-night",
        "--build-arg=PIP_NO_INDEX=1", *given, ".", cwd=checkout,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    yield "trialboard-tests-night"
    docker("image", "rm", "--force", "trialboard-tests-night")


def test_the_image_has_the_command_and_no_rights(image: str) -> None:
    told = docker("run", "--rm", "--network=none", image, "--help")
    assert told.returncode == 0, told.stderr
    assert "leaderboard harness" in told.stdout
    who = docker("run", "--rm", "--network=none", "--entrypoint=id", image, "--user")
    assert who.stdout.strip() == "1000"


def test_two_nights_in_a_container(image: str, checkout: Path) -> None:
    """The second goes on from the branch of the first; all that they leave lies in the checkout."""
    settings = [f"--env={name}={value}" for name, value in NIGHT.items()]
    for night in ("2026-11-21", "2026-11-22"):
        ended = docker(
            "run", "--rm", "--network=none", "--ipc=host", f"--user={os.getuid()}:{os.getgid()}",
            *settings, f"--env=NIGHT={night}", f"--env=OUT=runs/kept-{night}",
            f"--volume={checkout}:/app", f"--volume={checkout.parent / 'remote'}:/remote",
            "--entrypoint=/app/ci/nightly.sh", image,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        request = (checkout / "runs" / f"kept-{night}" / "pull-request.md").read_text()
        assert request.startswith(f"# Night of {night}: nothing regressed")
    # The same code on the same machine: the same network to the last bit.
    assert "since 2026-11-21" in request
    assert "No figure moved." in request
    command = ["git", "rev-list", "--count", "HEAD..nightly"]
    counted = subprocess.run(
        command, cwd=checkout.parent / "remote", text=True, capture_output=True, check=True
    )
    assert counted.stdout.strip() == "2"
