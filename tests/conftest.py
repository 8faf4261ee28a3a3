"""Fixtures and guards of all tests."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is told by benchmarks; tests run on machines that do other work.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many processes as processors: threads of one would wait for those of the others.
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

# Caches outside a runs folder are the user's: tests, and the processes they start, have others.
_CACHE = tempfile.TemporaryDirectory(prefix="harness-tests-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name
# Jobs of other tests, which run at the same time, wait for no measurement of these.
os.environ["HARNESS_MACHINE"] = _CACHE.name

OWN_RUNS = str(Path(__file__).resolve().parents[1] / "runs")


def _refuse_own_runs(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to read the runs of whoever calls the tests: they decide nothing."""
    if event in ("open", "os.listdir", "os.scandir") and isinstance(
        arguments[0], str | os.PathLike
    ):
        path = os.path.abspath(os.fspath(arguments[0]))
        if path == OWN_RUNS or path.startswith(OWN_RUNS + os.sep):
            raise PermissionError(f"a test reads {path}, the runs of whoever calls the tests")


sys.addaudithook(_refuse_own_runs)

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real corpora, where this machine has them."""
    root = Path(os.environ.get("HARNESS_DATA") or BESIDE).resolve()
    if not (root / "speech").is_dir():
        pytest.skip(f"no real corpora under {root}; set $HARNESS_DATA to the folder that has them")
    return root


@pytest.fixture
def preloaded_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of this process have their libraries already; their own start is not tested."""
    from tests.preloaded import lend_workers

    lend_workers(monkeypatch)
