"""What the benchmarks share: big data, made once, and the table of what was measured."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.benchmarks.corpus import write_embeddings, write_files
from tests.benchmarks.figures import HEAD, Figure, machine
from tests.benchmarks.packed_sound import write_sound

FIGURES = pytest.StashKey[list[Figure]]()


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Iterator[list[Figure]]:
    """A test's figures; those of all tests are printed at the end."""
    found: list[Figure] = []
    yield found
    pytestconfig.stash.setdefault(FIGURES, []).extend(found)


@pytest.fixture(scope="session")
def embeddings() -> Iterator[Path]:
    """A folder with the embeddings of one evaluation."""
    with tempfile.TemporaryDirectory() as folder:
        write_embeddings(Path(folder))
        yield Path(folder)


@pytest.fixture(scope="session")
def packed() -> Iterator[Path]:
    """A folder with utterances in a pack, and each of them as FLAC."""
    with tempfile.TemporaryDirectory() as folder:
        write_sound(Path(folder))
        yield Path(folder)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def score_files() -> Iterator[Path]:
    """A folder with a trial list and a score file; not kept, as they are big."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder))
        yield Path(folder)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    found = config.stash.get(FIGURES, [])
    if not found:
        return
    terminalreporter.section("figures")
    for line in (machine(), "", *HEAD, *(figure.row() for figure in found)):
        terminalreporter.write_line(line)
