"""Options that several commands share, and what they mean together."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.output import say
from harness.config.numbers import EMBEDDINGS_MIB, LARGEST_SEED
from harness.errors import ConfigError, PathError, RequestError, check_spelled, naming
from harness.measure.device import UNSEEN_MPS, choose_device, default_threads

if TYPE_CHECKING:
    from harness.measure.device import Device as MeasuredDevice
    from harness.registry.record_job import Rerun
    from harness.run.job.limits import Limits
    from harness.run.plan.request import RunRequest
    from harness.use.opening import Asked


class Profile(StrEnum):
    """Which profile of a suite."""

    quick = "quick"
    full = "full"


class Device(StrEnum):
    """Where jobs run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Suite = Annotated[str, typer.Option("--suite", help="Suite of the benchmark file.")]
ProfileOption = Annotated[Profile, typer.Option("--profile", help="Size of the benchmark.")]
Datasets = Annotated[
    list[str] | None, typer.Option("--dataset", help="Only this dataset (repeatable).")
]
Models = Annotated[list[str] | None, typer.Option("--model", help="Only this model (repeatable).")]
Losses = Annotated[list[str] | None, typer.Option("--loss", help="Only this loss (repeatable).")]
Recipes = Annotated[
    list[str] | None,
    typer.Option("--recipe", help="Only entries trained by this recipe (repeatable)."),
]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        help="With these budgets of the suite, in crops seen, as in 4800,19200, or `all`; "
        "else as long as the recipe is.",
    ),
]
Seeds = Annotated[str, typer.Option("--seeds", help="Training seeds, as in 0,1,2.")]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where jobs run.")]
ExecutorOption = Annotated[
    str,
    typer.Option(
        "--executor",
        help="What runs jobs: local, slurm, ray, docker, or a name in the file's [executors].",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=1024, help="Jobs at a time.")]
DataWorkers = Annotated[
    int,
    typer.Option(
        "--data-workers",
        min=0,
        max=1024,
        help="Processes a job that make training inputs; 0: a thread.",
    ),
]
JobHours = Annotated[
    float | None, typer.Option("--job-hours", help="Hours a job may take; fractions count.")
]
SilenceMinutes = Annotated[
    float | None,
    typer.Option("--silence-minutes", help="Minutes a job may be without any progress; else 30."),
]
KeepStates = Annotated[
    int,
    typer.Option("--keep-states", min=0, help="States that each training keeps for an audit."),
]
KeepEmbeddings = Annotated[
    int,
    typer.Option(
        "--keep-embeddings", min=0, help="MiB of test embeddings kept of a job; 0 keeps none."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Benchmark file; ./benchmark.toml, else the shipped one."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of records, stages and caches.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a recipe key, as in --set steps=50 (repeatable)."),
]
LeaveOut = Annotated[
    bool,
    typer.Option("--leave-out-damaged", help="Go on without files that cannot be used."),
]
NetworkRun = Annotated[
    Path | None,
    typer.Option("--run", help="Run whose network is used: as `runs list` has it, or a record."),
]
ModelDir = Annotated[
    Path | None, typer.Option("--model-dir", help="Folder of `harness export`, or a file in it.")
]
RunCheckpoint = Annotated[
    str | None,
    typer.Option("--checkpoint", help="The run's weights, if they are not in the folder of runs."),
]
Folder = Annotated[Path, typer.Option("--folder", help="Folder of the published tables.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

SHARING = ("local", "docker")
"""Executors whose jobs share this machine's cores; others have a machine for each."""

DEFAULT_RUNS = Path("runs")
PUBLISHED = Path("leaderboards")
LISTS = ("datasets", "models", "losses", "recipes", "options")


def make_request(
    suite: str,
    profile: Profile,
    runs: Path,
    *,
    device: Device = Device.auto,
    workers: int = 1,
    executor: str = "local",
    seeds: str = "",
    settings: list[str] | None = None,
    **chosen: Any,
) -> RunRequest:
    """Turn options into a request.

    Raises:
        RequestError: an option says what cannot be.
    """
    from harness.run.plan.request import RunRequest

    _check_runs(runs)
    return RunRequest(
        suite=suite,
        profile=profile.value,
        runs=runs,
        device=_device(device),
        threads=default_threads(workers if executor in SHARING else 1),
        seeds=parse_seeds(seeds),
        settings=parse_settings(settings),
        budgets=parse_budgets(chosen.get("budgets") or ()),
        leave_out_damaged=chosen.get("leave_out_damaged", False),
        data_workers=chosen.get("data_workers", 0),
        limits=parse_limits(chosen.get("job_hours"), chosen.get("silence_minutes")),
        keep_states=_states_to_keep(chosen.get("keep_states", 0)),
        keep_embeddings=chosen.get("keep_embeddings", EMBEDDINGS_MIB),
        **{key: tuple(chosen.get(key) or ()) for key in LISTS},
    )


def parse_budgets(texts: Iterable[str]) -> tuple[int, ...]:
    """Return the budgets of a call, in crops.

    >>> parse_budgets(["4800,19200", "4800"])
    (4800, 19200)

    Raises:
        RequestError: one is neither a number of crops nor `all`.
    """
    from harness.run.plan.request import EVERY_BUDGET

    given = tuple(dict.fromkeys(each.strip() for text in texts for each in text.split(",")))
    if "all" in given:
        return EVERY_BUDGET
    for text in given:
        if not text.isdecimal() or not int(text):
            raise RequestError(f"--budget {text}: give numbers of crops, as in 4800,19200, or all")
    return tuple(map(int, given))


def asked_network(
    run: Path | None, model_dir: Path | None, checkpoint: str | None, runs: Path, device: Device
) -> Asked:
    """Turn options into a request for a network."""
    from harness.use.opening import Asked

    return Asked(run, model_dir, checkpoint, runs, _device(device))


def _device(asked: Device) -> MeasuredDevice:
    """Return the device that is asked for, and tell of one that nobody has seen this on."""
    found = choose_device(asked.value)
    if found == "mps":
        say(f"warning: {UNSEEN_MPS}")
    return found


def make_rerun(
    runs: Path,
    settings: list[str] | None,
    job_hours: float | None,
    silence_minutes: float | None,
) -> Rerun:
    """Turn options into how the job of a record is run again.

    Raises:
        RequestError: an option says what cannot be.
    """
    from harness.registry.record_job import Rerun

    _check_runs(runs)
    limits = parse_limits(job_hours, silence_minutes)
    return Rerun(runs=runs, settings=parse_settings(settings), limits=limits)


def _states_to_keep(count: int) -> int:
    if count == 1:
        raise RequestError("--keep-states 1: an audit needs the first state and the last; give 2")
    return count


def _check_runs(runs: Path) -> None:
    """Refuse at once what cannot become a folder of results."""
    check_spelled(runs)
    with naming(runs):
        if runs.is_symlink():
            runs.stat()
        if runs.exists() and not runs.is_dir():
            raise PathError(f"{runs}: is a file; --runs names a folder")


def parse_limits(job_hours: float | None, silence_minutes: float | None) -> Limits:
    """Return the limits of jobs; what is None has its default.

    Raises:
        RequestError: a number is out of its range.
    """
    from harness.run.job.limits import MOST_HOURS, MOST_MINUTES, Limits

    asked = (
        ("--job-hours", job_hours, MOST_HOURS, "a year"),
        ("--silence-minutes", silence_minutes, MOST_MINUTES, "a week"),
    )
    for option, value, most, named in asked:
        if value is not None and not 0 < value <= most:
            raise RequestError(
                f"{option} {value:g}: give a number above 0 and up to {most} ({named})"
            )
    given = {"job_hours": job_hours, "silence_minutes": silence_minutes}
    return Limits(**{name: value for name, value in given.items() if value is not None})


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read `0,1,2`.

    Raises:
        ConfigError: not whole numbers from 0 to `LARGEST_SEED`, or one comes twice.
    """
    mend = f"--seeds {text!r}: write whole numbers from 0 to {LARGEST_SEED}, as in 0,1,2"
    try:
        seeds = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(mend) from error
    if not all(0 <= seed <= LARGEST_SEED for seed in seeds) or len(set(seeds)) < len(seeds):
        raise ConfigError(f"{mend}; each once")
    return seeds


def parse_settings(texts: list[str] | None) -> dict[str, Any]:
    """Read every `--set` of a call; of two of one key the last counts.

    Raises:
        ConfigError: one has no `=`.
    """
    return dict(parse_setting(text) for text in texts or [])


def parse_setting(text: str) -> tuple[str, Any]:
    """Read `KEY=VALUE`, the value as TOML would; a bare word is text.

    Raises:
        ConfigError: there is no `=`.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {text!r}: write KEY=VALUE, as in steps=50")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):  # a number of 5,000 digits, 5,000 brackets: text too
        return key, value
