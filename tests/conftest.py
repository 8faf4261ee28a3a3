"""What all tests share."""

import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many processes as processors: threads of one would wait for those of the others.
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real corpora, where this machine has them."""
    root = Path(os.environ.get("HARNESS_DATA") or BESIDE).resolve()
    if not (root / "speech").is_dir():
        pytest.skip(f"no real corpora under {root}; set $HARNESS_DATA to the folder that has them")
    return root
