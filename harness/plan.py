"""From a suite to its jobs: which there are, and what of each is missing."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, known, with_settings
from harness.config.schema import Component, Profile, Recipe, Suite
from harness.data.dataset import Listing
from harness.data.lock import DatasetLock, ProtocolLock, hold_protocol, read_lock
from harness.errors import ConfigError, RequestError, nearest
from harness.job.join import RECORD, find_record
from harness.job.parts import make_task
from harness.job.spec import TRAIN_VERSION, JobSpec
from harness.job.stage import find_result
from harness.measure.allocator import ALLOCATOR_ENVIRONMENT
from harness.measure.device import Device
from harness.measure.environment import environment
from harness.records import record
from harness.records.canonical import canonical_json, digest, sha256_file
from harness.records.code import code_version
from harness.records.store import read_record
from harness.train.log import stopped_after


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a call asks for; an empty tuple asks for all that the suite names.

    Attributes:
        suite, profile: which jobs.
        datasets, models, losses, seeds: only these.
        settings: recipe keys to change, as `--set` gives them.
        runs: where records and stages lie.
        device, threads: where jobs run.
        leave_out_damaged: go on without files that cannot be used.
    """

    suite: str
    profile: Profile
    runs: Path
    device: Device
    threads: int
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    leave_out_damaged: bool = False

    @property
    def cache(self) -> Path:
        """Where packed corpora lie."""
        return self.runs / "cache"


@dataclass(frozen=True)
class Source:
    """A dataset as far as it is known: its lists, and what the lock says of it."""

    listing: Listing
    lock: DatasetLock


@dataclass(frozen=True)
class CheckpointEntry:
    """A checkpoint made elsewhere, and what it is a checkpoint of.

    Attributes:
        path: the file.
        model: a model of the benchmark.
        loss: the loss whose head the file brings too; None where it holds the network alone.
    """

    path: Path
    model: str
    loss: str | None = None


@dataclass(frozen=True)
class Status:
    """How far a stage of a job is.

    Attributes:
        state: `cached`, `to run`, `resumes` or `none` (the job has no such stage).
        why: why it is not cached.
    """

    state: Literal["cached", "to run", "resumes", "none"]
    why: str = ""


def suite_datasets(loaded: LoadedBenchmark, request: RunRequest) -> tuple[str, ...]:
    """The datasets a call is about.

    Raises:
        ConfigError: one asked for is not of the suite.
    """
    suite = _suite(loaded, request)
    return _chosen(request.datasets, suite.datasets, f"suite {request.suite!r} has no dataset")


def plan_jobs(
    loaded: LoadedBenchmark, request: RunRequest, sources: dict[str, Source]
) -> list[JobSpec]:
    """Every job of a call, the baseline of each dataset first.

    Args:
        loaded: the benchmark.
        request: the call.
        sources: the datasets that are here, by name.

    Raises:
        ConfigError: something asked for is not of the suite, or cannot be built.
        LockError: a protocol changed and its version did not.
    """
    suite = _suite(loaded, request)
    jobs = []
    for name, source in sources.items():
        protocol = make_protocol(loaded, request, source)
        common = _common(loaded, request, source, protocol)
        jobs.append(_baseline(loaded, request, common))
        jobs += [
            _entry(loaded, request, common, choice) for choice in _entries(suite, request, name)
        ]
    return jobs


def plan_checkpoint(
    loaded: LoadedBenchmark, request: RunRequest, source: Source, entry: CheckpointEntry
) -> list[JobSpec]:
    """The evaluation of a checkpoint made elsewhere, after the dataset's baseline.

    Raises:
        RequestError: there is no such file.
        ConfigError: there is no such model or loss, or the task wants a head.
    """
    if not entry.path.is_file():
        raise RequestError(f"{entry.path}: no such checkpoint")
    task = make_task(loaded, request.suite)
    if task.output == "logits" and entry.loss is None:
        raise ConfigError(f"suite {request.suite!r} judges logits: name the head with --loss")
    common = _common(loaded, request, source, make_protocol(loaded, request, source))
    models, losses = loaded.benchmark.models, loaded.benchmark.losses
    table = known(models, entry.model, "model")
    made_here = JobSpec(
        **common,
        model=component(entry.model, table, f"models.{entry.model}"),
        loss=component(entry.loss, known(losses, entry.loss, "loss"), f"losses.{entry.loss}")
        if entry.loss
        else None,
        recipe_name=f"checkpoint {entry.path.name}",
        track="checkpoint",
        checkpoint=entry.path,
        checkpoint_sha256=sha256_file(entry.path),
    )
    return [_baseline(loaded, request, common), made_here]


def make_protocol(loaded: LoadedBenchmark, request: RunRequest, source: Source) -> record.Protocol:
    """The rules of one table: task, metric parameters, locked data, budget."""
    suite, task = loaded.suite(request.suite), make_task(loaded, request.suite)
    rests_on = {
        "task": suite.task,
        "task_version": task.version,
        "parameters": task.parameters(),
        "dataset": source.lock.digest,
        "budget": loaded.benchmark.budget.model_dump(),
    }
    return record.Protocol(
        suite=request.suite,
        suite_title=suite.title,
        profile=request.profile,
        version=suite.protocol,
        digest=digest(rests_on),
        task=suite.task,
        primary=task.primary,
        facts={
            metric: facts.model_copy(update={"order": place})
            for place, (metric, facts) in enumerate(task.facts.items())
        },
        parameters=task.parameters(),
    )


def pin_protocols(loaded: LoadedBenchmark, jobs: list[JobSpec]) -> None:
    """Hold every protocol of some jobs against the lock.

    Raises:
        LockError: a protocol changed and its version did not.
    """
    seen = {
        f"{job.protocol.suite}/{job.profile}/{job.dataset.name}": ProtocolLock(
            version=job.protocol.version, digest=job.protocol.digest
        )
        for job in jobs
    }
    for name, found in seen.items():
        hold_protocol(loaded.lock_path, name, found)


def job_status(job: JobSpec) -> dict[str, Status]:
    """How far each stage of a job is, read off the disk alone."""
    if is_done(job):
        there = {"train": job.train, "evaluate": True, "measure": job.measure}
        return {name: Status("cached" if stage else "none") for name, stage in there.items()}
    training = _train_status(job)
    result = _train_result(job)
    made = result["checkpoint"]["sha256"] if result else job.checkpoint_sha256
    known_checkpoint = "baseline" if job.is_baseline else made
    if known_checkpoint is None:
        evaluation = Status("to run", "no checkpoint yet")
    else:
        evaluation = _stage_status(job, "evaluate", job.evaluate(known_checkpoint))
    measuring = _stage_status(job, "measure", job.measure) if job.measure else Status("none")
    return {"train": training, "evaluate": evaluation, "measure": measuring}


def is_done(job: JobSpec) -> bool:
    """True where the job's record stands and says `done`."""
    found = find_record(job)
    return found is not None and found.state == "done"


def source_of(loaded: LoadedBenchmark, listing: Listing) -> Source:
    """A dataset with its pinned lock; its content is unknown where nothing is pinned."""
    pinned = read_lock(loaded.lock_path).datasets.get(listing.key)
    return Source(listing, pinned or listing.lock)


def component(name: str, table: Component, where: str) -> record.Component:
    """An adapter as a record holds it, its fields complete and checked.

    Raises:
        ConfigError: it cannot be built from its table.
    """
    made = construct(table.adapter, table.fields, where)
    values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    fields = json.loads(canonical_json(values))
    return record.Component(name=name, adapter=table.adapter, version=made.version, fields=fields)


@dataclass(frozen=True)
class _Choice:
    model: str
    loss: str
    recipe: str
    seed: int


def _suite(loaded: LoadedBenchmark, request: RunRequest) -> Suite:
    suite = loaded.suite(request.suite)
    known(
        {str(name): plan for name, plan in suite.profiles.items()},
        request.profile,
        f"profile of suite {request.suite!r}",
    )
    return suite


def _entries(suite: Suite, request: RunRequest, dataset: str) -> Iterator[_Choice]:
    plan = suite.profiles[request.profile]
    models = _chosen(request.models, suite.models, f"suite {request.suite!r} has no model")
    losses = _chosen(request.losses, suite.losses, f"suite {request.suite!r} has no loss")
    for model in models:
        for loss in losses:
            if _excluded(suite, dataset, model, loss):
                continue
            for seed in request.seeds or plan.seeds:
                yield _Choice(model, loss, plan.recipe, seed)


def _excluded(suite: Suite, dataset: str, model: str, loss: str) -> bool:
    return any(
        rule.dataset in (None, dataset)
        and rule.model in (None, model)
        and rule.loss in (None, loss)
        for rule in suite.exclude
    )


def _chosen(asked: tuple[str, ...], there: tuple[str, ...], refusal: str) -> tuple[str, ...]:
    for name in asked:
        if name not in there:
            raise ConfigError(f"{refusal} {name!r}; {nearest(name, there)}")
    return tuple(dict.fromkeys(asked)) or there


def _common(
    loaded: LoadedBenchmark, request: RunRequest, source: Source, protocol: record.Protocol
) -> dict[str, Any]:
    listing = source.listing
    return {
        "benchmark": loaded.path,
        "runs": request.runs.resolve(),
        "cache": request.cache.resolve(),
        "profile": request.profile,
        "leave_out_damaged": request.leave_out_damaged,
        "device": request.device,
        "threads": request.threads,
        "protocol": protocol,
        "environment": environment(
            request.device, request.threads, {**os.environ, **ALLOCATOR_ENVIRONMENT}
        ),
        "code": code_version(),
        "dataset": record.Data(
            name=listing.name,
            title=listing.config.title or listing.name,
            synthetic=listing.config.synthetic,
            licence=listing.config.licence,
            publish_scores=listing.config.publish_scores,
            source=listing.config.source,
            lock=source.lock.digest,
            counts=source.lock.counts,
            unit=listing.corpus.unit,
        ),
    }


def _baseline(loaded: LoadedBenchmark, request: RunRequest, common: dict[str, Any]) -> JobSpec:
    task = make_task(loaded, request.suite)
    suite = loaded.suite(request.suite)
    model = record.Component(
        name=task.baseline_name, adapter=suite.task, version=task.version, fields={}
    )
    return JobSpec(**common, model=model, track="baseline")


def _entry(
    loaded: LoadedBenchmark, request: RunRequest, common: dict[str, Any], choice: _Choice
) -> JobSpec:
    benchmark = loaded.benchmark
    model = component(choice.model, benchmark.models[choice.model], f"models.{choice.model}")
    loss = component(choice.loss, benchmark.losses[choice.loss], f"losses.{choice.loss}")
    recipe = _recipe(loaded, request, common["dataset"].name, choice)
    changed = ", ".join(f"{key}={value}" for key, value in sorted(request.settings.items()))
    inputs = {
        "stage": "train",
        "version": TRAIN_VERSION,
        "task": common["protocol"].task,
        "dataset": _trained_on(loaded, common["dataset"].name, request.profile, common),
        "model": model.model_dump(),
        "loss": loss.model_dump(),
        "recipe": recipe.model_dump(mode="json"),
        "seed": choice.seed,
        "device": request.device,
        "left_out": request.leave_out_damaged,
    }
    return JobSpec(
        **common,
        model=model,
        loss=loss,
        recipe=recipe,
        recipe_name=f"{choice.recipe} with {changed}" if changed else choice.recipe,
        track=recipe.track,
        seed=choice.seed,
        train_inputs=inputs,
    )


def _trained_on(
    loaded: LoadedBenchmark, name: str, profile: Profile, common: dict[str, Any]
) -> dict[str, Any]:
    """What of a dataset can change weights: all but the test trials."""
    pinned = read_lock(loaded.lock_path).datasets.get(f"{name}/{profile}")
    if pinned is None:
        return {"name": name, "lock": common["dataset"].lock}
    trials = pinned.trials.get("validation", "")
    parts = pinned.model_dump(include={"manifest", "split", "content"})
    return {"name": name, "profile": profile, "validation_trials": trials, **parts}


def _recipe(loaded: LoadedBenchmark, request: RunRequest, dataset: str, choice: _Choice) -> Recipe:
    recipe: Recipe = loaded.benchmark.recipes[choice.recipe]
    wanted = {"profile": request.profile, "dataset": dataset}
    wanted |= {"model": choice.model, "loss": choice.loss}
    for number, rule in enumerate(loaded.suite(request.suite).overrides):
        if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
            where = f"suites.{request.suite}.overrides.{number}.set."
            recipe = with_settings(recipe, rule.set, where)
    return with_settings(recipe, request.settings, "--set ") if request.settings else recipe


def _train_result(job: JobSpec) -> dict[str, Any] | None:
    return find_result(job.stage_folder("train", job.train.key)) if job.train else None


def _train_status(job: JobSpec) -> Status:
    if job.train is None:
        return Status("none")
    step = stopped_after(job.stage_folder("train", job.train.key))
    if step is None or _train_result(job):
        return _stage_status(job, "train", job.train)
    return Status("resumes", f"stopped after step {step}")


def _stage_status(job: JobSpec, name: str, stage: record.Stage) -> Status:
    if find_result(job.stage_folder(name, stage.key)):
        return Status("cached")
    return Status("to run", _what_changed(job, name, stage))


def _what_changed(job: JobSpec, name: str, stage: record.Stage) -> str:
    """Name what differs from that earlier stage of the same system which is most like it."""
    earlier = [found for found in _earlier(job) if name in found.stages]
    if not earlier:
        return "never run"
    changes = [sorted(_differences(each.stages[name].inputs, stage.inputs)) for each in earlier]
    place, changed = min(enumerate(changes), key=lambda numbered: len(numbered[1]))
    if changed:
        return "changed: " + ", ".join(changed[:4])
    nearest_one = earlier[place]
    ended = f"{nearest_one.state} before: {nearest_one.reason}"
    return "its files are gone" if nearest_one.state == "done" else ended


def _earlier(job: JobSpec) -> list[record.Record]:
    """Records of the same system on the same dataset, the newest first."""
    paths = sorted(
        job.folder.parent.parent.glob(f"*/*/{RECORD}"), key=lambda path: -path.stat().st_mtime
    )
    return [found for path in paths if _system(found := read_record(path)) == _system(job)]


def _system(job: JobSpec | record.Record) -> tuple[str, str | None]:
    return job.model.name, job.loss.name if job.loss else None


def _differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            inner = f"{where}.{key}" if where else key
            yield from _differences(before.get(key), after.get(key), inner)
    elif before != after:
        yield where
