"""Reading an adapter costs no heavy import, and building one says nothing."""

from __future__ import annotations

import subprocess
import sys

MODULES = [
    f"adapters.{name}"
    for name in ("class_losses", "ghm", "losses", "speechbrain", "timm", "triplet", "wespeaker")
]
HEAVY = ("torch", "torchaudio", "speechbrain", "timm")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_adapters_imports_no_torch() -> None:
    done = run(
        f"import sys, {', '.join(MODULES)}, harness.testing\n"
        f"raise SystemExit(str([name for name in {HEAVY!r} if name in sys.modules] or ''))"
    )
    assert done.stderr.strip() == ""


def test_building_ecapa_says_nothing() -> None:
    done = run("from adapters.speechbrain import EcapaTdnn as E; E(channels=8).build()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
