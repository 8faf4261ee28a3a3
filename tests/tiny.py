"""A user's own benchmark, as small as one can be: a dozen voices and a network of one layer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from filelock import FileLock
from scipy.signal import lfilter

from harness.config.loader import LoadedBenchmark
from harness.run.job.spec import JobSpec
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import RunRequest, listing_states
from harness.run.session import find_datasets
from tests.preloaded import run_preloaded, start_preloaded

SPEAKERS, UTTERANCES, RATE = 12, 4, 16_000
STEPS, EVERY = 12, 2
FIRST = ("run", "--suite", "own", "--loss", "aam", "--seeds", "0,7", "--device", "cpu", "--json")
PATIENCE = 240.0
"""Seconds after which a process is taken for dead; nothing is measured with it."""

COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.cli import main
main()
"""
"""The command; Ctrl-C reaches it even where the tests run in a shell's background."""

MODELS = '''
"""A user's own network, and networks that go wrong."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from harness.adapter import Fbank


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """One layer over the mean and deviation of filterbanks; `fault` strikes at a step."""

    size: int = 8
    fault: str = ""
    at: int = 5

    version = 1

    @property
    def embedding_size(self):
        return self.size

    def inputs(self):
        return Fbank(bins=24, subtract_mean=False, dither=1.0)

    def build(self):
        import torch
        from torch import nn

        class Trunk(nn.Module):
            def __init__(self, adapter):
                super().__init__()
                self.adapter = adapter
                self.layer = nn.Linear(48, adapter.size)
                self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

            def forward(self, features):
                if self.training:
                    self.steps += 1
                    wait(int(self.steps))
                spread, mean = torch.std_mean(features, dim=1)
                embedding = self.layer(torch.cat([mean / 10, spread], dim=1))
                if self.training and int(self.steps) == self.adapter.at:
                    return self.struck(embedding)
                if not self.training and self.adapter.fault == "nan embedding":
                    return embedding * float("nan")
                return embedding

            def struck(self, embedding):
                if self.adapter.fault == "nan":
                    return embedding * float("nan")
                if self.adapter.fault == "raise":
                    raise ValueError("the layer is out of order\\n  on two lines")
                if self.adapter.fault == "memory":
                    torch.empty(2**50, dtype=torch.uint8)
                if self.adapter.fault == "die":
                    os.kill(os.getpid(), 9)
                if self.adapter.fault == "noise":
                    os.write(1, b"a C library says hello\\n")
                    print("so does Python")
                return embedding

        return Trunk(self)


def wait(step):
    """Stand still at the step that $TINY_GATE names, until somebody ends this process."""
    place, _, number = os.environ.get("TINY_GATE", "").rpartition(":")
    if place and step == int(number):
        Path(place).write_text(str(os.getpid()))
        while Path(place).exists():
            time.sleep(0.02)
'''

BENCHMARK = """
[datasets.voices]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
title = "A dozen voices"
synthetic = true
licence = "CC0-1.0"
path = "voices"
split = { seed = 0, validation = 3, test = 5 }
trials = 200

[datasets.elsewhere]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
licence = "CC0-1.0"
path = "no/such/folder"
source = "https://example.org/elsewhere"
split = { seed = 0, validation = 3, test = 5 }
trials = 200

[models.tiny]
adapter = "tiny_models:Tiny"

[models.nan]
adapter = "tiny_models:Tiny"
fault = "nan"

[models.raise]
adapter = "tiny_models:Tiny"
fault = "raise"

[models.memory]
adapter = "tiny_models:Tiny"
fault = "memory"

[models.die]
adapter = "tiny_models:Tiny"
fault = "die"

[models.noise]
adapter = "tiny_models:Tiny"
fault = "noise"

[losses.aam]
adapter = "adapters.losses:AamSoftmax"

[losses.softmax]
adapter = "adapters.losses:Softmax"

[recipes.short]
batch = 8
crop_seconds = 0.5
steps = 12
optimizer = { name = "adamw", lr = 1e-2 }
learning_rate = { shape = "cosine", warmup = 0.2, final = 0.1 }
schedules.margin = { shape = "linear", start = 0.2, end = 0.6 }
validations = 2
checkpoints = 6

[suites.own]
title = "Our own suite"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices"]
models = ["tiny"]
losses = ["aam", "softmax"]
profiles.quick = { recipe = "short" }

[suites.faulty]
title = "Networks that go wrong"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices", "elsewhere"]
models = ["nan", "raise", "memory", "die", "noise", "tiny"]
losses = ["aam"]
profiles.quick = { recipe = "short" }
"""


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class TinyBenchmark:
    """The benchmark's folder, and the command run on it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "benchmark.toml"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def command(self, *words: str) -> list[str]:
        """A command line on this benchmark and its runs folder."""
        return [sys.executable, "-c", COMMAND, *self.arguments(*words)]

    def arguments(self, *words: str) -> list[str]:
        return [*words, "--config", str(self.config), "--runs", str(self.runs)]

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command as the leader of a process group."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder.parent,
            env={**plain_environment(), **environment},
            process_group=0,
        )

    def run(self, *words: str, **environment: str) -> Finished:
        """Run a command to its end, with libraries that are loaded already."""
        given = {**plain_environment(), **environment}
        folder = self.folder.parent
        return Finished(*run_preloaded(self.arguments(*words), folder, given, PATIENCE))

    def begin(self, *words: str, log: Path, **environment: str) -> int:
        """Begin a command with libraries that are loaded already; gives its process."""
        given = {**plain_environment(), **environment}
        return start_preloaded(self.arguments(*words), self.folder.parent, given, log)

    def copy(self, folder: Path) -> TinyBenchmark:
        """The same benchmark elsewhere, with all that was run."""
        shutil.copytree(self.folder, folder)
        return TinyBenchmark(folder)

    def forget(self, model: str, seed: int) -> dict[str, Any]:
        """Delete a job's record, training and evaluation; gives the record."""
        record, path = self.record(model, seed), self.record_path(model, seed)
        shutil.rmtree(path.parent)
        for name in ("train", "evaluate"):
            shutil.rmtree(self.stage(record, name))
        return record

    def stage(self, record: dict[str, Any], name: str) -> Path:
        """A stage's folder."""
        return self.runs / "stages" / f"{name}-{record['stages'][name]['key'][:16]}"

    def edit(self, old: str, new: str) -> None:
        """Change the benchmark file."""
        text = self.config.read_text()
        if old not in text:
            raise ValueError(f"{old!r} is not in the benchmark file")
        self.config.write_text(text.replace(old, new))

    def record(self, model: str, seed: int = 0, suite: str = "*") -> dict[str, Any]:
        """The latest record of a model's job."""
        return dict(json.loads(self.record_path(model, seed, suite).read_text()))

    def record_path(self, model: str, seed: int = 0, suite: str = "*") -> Path:
        (path,) = self.runs.glob(f"{suite}-quick/voices/{model}+aam+*/seed{seed}-*/record.json")
        return path


def ended(process: subprocess.Popen[str]) -> Finished:
    """Wait for a command's end."""
    out, err = process.communicate(timeout=PATIENCE)
    return Finished(process.returncode, out, err)


def plain_environment() -> dict[str, str]:
    """The environment without what a developer may have set, and with little computation."""
    kept = {name: value for name, value in os.environ.items() if name != "HARNESS_DATA"}
    return {**kept, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def make_tiny(folder: Path) -> TinyBenchmark:
    """Write the benchmark file, the user's module and the corpus."""
    folder.mkdir(parents=True)
    (folder / "benchmark.toml").write_text(BENCHMARK)
    (folder / "tiny_models.py").write_text(MODELS)
    _write_voices(folder / "voices")
    return TinyBenchmark(folder)


def finished_tiny(root: Path, folder: Path) -> TinyBenchmark:
    """Copy the benchmark as it is after `run --suite own` with two seeds; all share that one run.

    Nobody gets the one that is copied: most commands leave something in a benchmark's cache. What
    the call printed lies in `first.out`.

    Args:
        root: where temporary folders of this process lie.
        folder: the copy's.
    """
    # Each process of xdist has a folder of its own in one that all share.
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished").exists():
            _finish(shared / "finished")
    return TinyBenchmark(shared / "finished" / "own").copy(folder)


def _finish(place: Path) -> None:
    made = Path(tempfile.mkdtemp(dir=place.parent))
    tiny = make_tiny(made / "own")
    done = ended(tiny.start(*FIRST))
    if done.status != 0:
        raise RuntimeError(done.err)
    (tiny.folder / "first.out").write_text(done.out)
    made.rename(place)  # at last, so that nobody copies what did not end well


def planned_jobs(loaded: LoadedBenchmark, request: RunRequest) -> list[JobSpec]:
    """The jobs of a call, with nothing decoded, pinned or run."""
    here, _ = find_datasets(loaded, request)
    return plan_jobs(loaded, request, listing_states(loaded, here))


def metrics_of(record: dict[str, Any]) -> dict[str, float]:
    """What a record's metrics say, without what was spent."""
    return {name: metric["value"] for name, metric in record["metrics"].items()}


def is_alive(process: int) -> bool:
    """True where a process runs (a dead one that nobody has waited for does not)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def kill_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a command and all of its group, as a terminal does."""
    os.killpg(process.pid, number)


def _write_voices(folder: Path) -> None:
    folder.mkdir()
    generator = np.random.Generator(np.random.PCG64(7))
    lines = ["utt_id\tspeaker\tpath\tduration_s"]
    for speaker in range(SPEAKERS):
        pitch, formant = generator.uniform(90, 240), generator.uniform(500, 2500)
        for utterance in range(UTTERANCES):
            name = f"s{speaker:02}-u{utterance}"
            samples = _voice(generator, pitch, formant)
            soundfile.write(folder / f"{name}.flac", samples, RATE, subtype="PCM_16")
            lines.append(f"{name}\ts{speaker:02}\t{name}.flac\t1.0")
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")


def _voice(generator: np.random.Generator, pitch: float, formant: float) -> Any:
    """Pulses through one resonance, in noise; each utterance a little off its speaker."""
    time = np.arange(RATE) / RATE
    phase = np.cumsum(pitch * (1 + 0.1 * generator.normal()) * np.ones(RATE)) / RATE
    pulses = np.diff(np.floor(phase), prepend=0)
    centre = formant * (1 + 0.15 * generator.normal())
    angle, radius = 2 * np.pi * centre / RATE, 0.97
    resonance = [1, -2 * radius * np.cos(angle), radius**2]
    voiced = lfilter([1 - radius], resonance, pulses) * (1 + 0.3 * np.sin(6 * np.pi * time))
    noisy = voiced + 0.02 * generator.normal() * generator.normal(size=RATE)
    return (0.5 * noisy / np.abs(noisy).max()).astype(np.float32)
