"""The loader of benchmark files; its errors name the file, the key and the mend."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.config.datasets import Dataset, DatasetFold, all_folds, check_fold_names, folds_of
from harness.config.imports import explain
from harness.config.merging import builtin_benchmark, check_finite, merge_bases, write_out_inherited
from harness.config.recipes import Recipe
from harness.config.schema import Benchmark, Exclusion, Override, Suite
from harness.config.trust import is_safe
from harness.errors import ConfigError, check_spelled, nearest

Named = TypeVar("Named")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class LoadedBenchmark:
    """A benchmark and the file it came from.

    Attributes:
        benchmark: its checked tables, those of its bases included.
        path: the file; `benchmark.lock` lies beside it.
        bases: the files that it builds on, the nearest first.
    """

    benchmark: Benchmark
    path: Path
    bases: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of the file; relative paths and a user's own adapters are found from it."""
        return self.path.parent

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders of this file and its bases; lists of frozen subsets are found from them."""
        return (self.folder, *(base.parent for base in self.bases))

    @property
    def lock_path(self) -> Path:
        """The lock that belongs to this file."""
        return self.path.with_suffix(".lock")

    @property
    def base_lock_paths(self) -> tuple[Path, ...]:
        """The locks of the bases: their pins hold here too."""
        return tuple(base.with_suffix(".lock") for base in self.bases)

    def suite(self, name: str) -> Suite:
        """Return the suite of a name.

        Raises:
            ConfigError: there is none of that name.
        """
        return look_up(self.benchmark.suites, name, "suite")

    def dataset(self, name: str) -> Dataset:
        """Return the table of a dataset, or of the dataset that a fold belongs to.

        Raises:
            ConfigError: there is none of that name.
        """
        datasets = self.benchmark.datasets
        tables = {fold.name: datasets[fold.of] for fold in all_folds(datasets).values()}
        return look_up({**datasets, **tables}, name, "dataset")

    def fold(self, name: str) -> DatasetFold | None:
        """Return the fold that a name means; None if it means a dataset as a whole."""
        return all_folds(self.benchmark.datasets).get(name)

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the names that a dataset's name stands for: those of its folds, or its own.

        Raises:
            ConfigError: there is none of that name.
        """
        dataset = self.dataset(name)
        folds = () if self.fold(name) else folds_of(name, dataset)
        return tuple(fold.name for fold in folds) or (name,)

    def where(self, section: str, name: str) -> str:
        """Return the place of an entry, for an error: the file and the key."""
        return f"{self.path}: {section}.{name}"


def look_up(table: Mapping[str, Named], name: str, what: str) -> Named:
    """Return a table's entry of a name.

    Raises:
        ConfigError: there is none of that name; the nearest is named.
    """
    if name not in table:
        raise ConfigError(f"no {what} is called {name!r}; {nearest(name, table)}")
    return table[name]


def load(path: Path | None = None) -> LoadedBenchmark:
    """Read and check a benchmark file.

    Args:
        path: the file; None takes `benchmark.toml` of the current folder, else ours.

    Raises:
        ConfigError: the file is absent, is not TOML, or holds impossible values.
    """
    here = Path("benchmark.toml")
    chosen = path or (here if here.exists() else builtin_benchmark())
    check_spelled(chosen)
    document, files = merge_bases(chosen)
    for section in ("datasets", "recipes"):
        document[section] = write_out_inherited(section, document.get(section, {}), chosen)
    benchmark = check_table(Benchmark, document, f"{chosen}: ")
    check_fold_names(benchmark.datasets, f"{chosen}: ")
    for name, suite in benchmark.suites.items():
        _check_suite(benchmark, suite, f"{chosen}: suites.{name}")
    for folder in (str(file.parent.resolve()) for file in files):
        if folder not in sys.path and not is_safe():
            sys.path.append(folder)
    bases = tuple(file.resolve() for file in files[1:])
    return LoadedBenchmark(benchmark, chosen.resolve(), bases)


def with_settings(recipe: Recipe, changes: dict[str, Any], where: str) -> Recipe:
    """Return a recipe with some keys changed; dotted keys reach into its tables.

    Raises:
        ConfigError: a key does not exist or a value has the wrong type.
    """
    check_finite(changes, where)
    document = recipe.model_dump()
    if "steps" in changes:
        document["epochs"] = None
    if "epochs" in changes:
        document["steps"] = None
    for key, value in changes.items():
        _set(document, key.split("."), value, where)
    return check_table(Recipe, document, where)


def check_table(model: type[Model], document: Mapping[str, Any], where: str) -> Model:
    """Check a table as TOML gives it, and return it as an object.

    Args:
        model: its class.
        document: the table.
        where: put before every key in the error.

    Raises:
        ConfigError: a key is unknown or missing, or a value is out of its range; each is named.
    """
    try:
        return model.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, where, partial(_keys_at, model))) from error


def _set(document: dict[str, Any], keys: list[str], value: Any, where: str) -> None:
    *parents, last = keys
    for key in parents:
        document = document.setdefault(key, {})
        if not isinstance(document, dict):
            raise ConfigError(f"{where}{'.'.join(keys)}: {key!r} is one value, not a table")
    both = isinstance(document.get(last), dict) and isinstance(value, dict)
    document[last] = {**document[last], **value} if both else value


def _keys_at(model: Any, location: Iterable[Any]) -> list[str]:
    """Return the keys that the table at a place may have; none if the place is no table."""
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = _concrete(field.annotation) if field else None
        else:
            model = _concrete(get_args(model)[-1]) if get_args(model) else None
    found = isinstance(model, type) and issubclass(model, BaseModel)
    return list(model.model_fields) if found else []


def _concrete(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is tuple:
        return dict[int, get_args(annotation)[0]]  # type: ignore[misc]
    return annotation


def _check_suite(benchmark: Benchmark, suite: Suite, where: str) -> None:
    _check_names(suite.datasets, benchmark.datasets, f"{where}.datasets")
    _check_names(suite.models, benchmark.models, f"{where}.models")
    _check_names(suite.losses, benchmark.losses, f"{where}.losses")
    for number, entry in enumerate(suite.entries):
        place = f"{where}.entries.{number}"
        _check_names([entry.model], benchmark.models, f"{place}.model")
        _check_names([entry.loss], benchmark.losses, f"{place}.loss")
        _check_names(filter(None, [entry.recipe]), benchmark.recipes, f"{place}.recipe")
    recipes = [plan.recipe for plan in suite.profiles.values() if plan.recipe]
    _check_names(recipes, benchmark.recipes, f"{where}.profiles")
    for number, override in enumerate(suite.overrides):
        place = f"{where}.overrides.{number}"
        _check_rule(override, suite, place)
        _check_names(filter(None, [override.profile]), suite.profiles, f"{place}.profile")
        _check_names(filter(None, [override.recipe]), suite.recipes, f"{place}.recipe")
        for recipe in _recipes_of(override, suite):
            with_settings(benchmark.recipes[recipe], override.set, f"{place}.set.")
    for number, exclusion in enumerate(suite.exclude):
        _check_rule(exclusion, suite, f"{where}.exclude.{number}")
    try:
        benchmark.levels(suite)
    except ValueError as error:
        raise ConfigError(f"{where}.curve: {error}") from error


def _recipes_of(override: Override, suite: Suite) -> set[str]:
    """Return the recipes that an override changes."""
    plans = [plan for name, plan in suite.profiles.items() if override.profile in (None, name)]
    systems = [
        each
        for each in suite.systems
        if override.model in (None, each.model) and override.loss in (None, each.loss)
    ]
    named = {each.recipe or plan.recipe for each in systems for plan in plans}
    return {each for each in named if each and override.recipe in (None, each)}


def _check_rule(rule: Override | Exclusion, suite: Suite, where: str) -> None:
    for key, names in (
        ("dataset", suite.datasets),
        ("model", [each.model for each in suite.systems]),
        ("loss", [each.loss for each in suite.systems]),
    ):
        _check_names(filter(None, [getattr(rule, key)]), names, f"{where}.{key}")


def _check_names(names: Iterable[str], table: Iterable[str], where: str) -> None:
    for name in names:
        if name not in set(table):
            raise ConfigError(f"{where}: {name!r} does not exist; {nearest(name, table)}")
