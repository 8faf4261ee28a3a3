"""Commands that only read start without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import TinyBenchmark, finished_tiny, plain_environment

WATCHED = """
import sys
from harness.cli import main
try:
    main()
except SystemExit as ended:
    assert ended.code in (0, 1, None), ended.code
heavy = {"torch", "lightning_fabric", "torchaudio", "speechbrain", "timm"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    return finished_tiny(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "board --help",
        "board check --folder {empty}",
        "data list --config {config}",
        "plan --suite own --loss aam --seeds 0 --device cpu --config {config} --runs {runs}",
        "runs list --runs {runs}",
        "runs gc --runs {runs}",
    ],
)
def test_no_torch_is_imported(base: TinyBenchmark, tmp_path: Path, words: str) -> None:
    places = {"config": base.config, "runs": base.runs, "empty": tmp_path}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words.format(**places).split(" ")],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr != ""
