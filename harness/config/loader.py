"""Reading a benchmark file: errors name the file, the key and the mend."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from harness.config.datasets import Dataset, Fold, all_folds, check_fold_names, folds_of
from harness.config.imports import explain
from harness.config.merging import check_finite, datasets_with_inherited, recipes_with_inherited
from harness.config.recipes import Recipe
from harness.config.schema import Benchmark, Exclusion, Override, Suite
from harness.errors import ConfigError, check_spelled, nearest

NAMED = ("datasets", "models", "losses", "recipes", "suites")

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class LoadedBenchmark:
    """A benchmark and the file it came from.

    Attributes:
        benchmark: the checked content, a base's tables included.
        path: the file; `benchmark.lock` lies beside it.
        bases: the files below it, the nearest first.
    """

    benchmark: Benchmark
    path: Path
    bases: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the file lies: relative paths and a user's own adapters are found from here."""
        return self.path.parent

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where this file and those below it lie: lists of frozen subsets are found from here."""
        return (self.folder, *(base.parent for base in self.bases))

    @property
    def lock_path(self) -> Path:
        """The lock that belongs to this file."""
        return self.path.with_suffix(".lock")

    @property
    def base_lock_paths(self) -> tuple[Path, ...]:
        """The locks of the files below: what they pin holds here too."""
        return tuple(base.with_suffix(".lock") for base in self.bases)

    def suite(self, name: str) -> Suite:
        """A suite by name.

        Raises:
            ConfigError: there is none of that name.
        """
        return known(self.benchmark.suites, name, "suite")

    def dataset(self, name: str) -> Dataset:
        """The table of a dataset, or of the one that a fold is of.

        Raises:
            ConfigError: there is none of that name.
        """
        datasets = self.benchmark.datasets
        tables = {fold.name: datasets[fold.of] for fold in all_folds(datasets).values()}
        return known({**datasets, **tables}, name, "dataset")

    def fold(self, name: str) -> Fold | None:
        """Which fold a name means; None where it means a dataset as a whole."""
        return all_folds(self.benchmark.datasets).get(name)

    def parts(self, name: str) -> tuple[str, ...]:
        """The names that a dataset's name stands for: those of its folds, or its own.

        Raises:
            ConfigError: there is none of that name.
        """
        dataset = self.dataset(name)
        folds = () if self.fold(name) else folds_of(name, dataset)
        return tuple(fold.name for fold in folds) or (name,)

    def where(self, section: str, name: str) -> str:
        """The place of an entry, for an error: the file and the key."""
        return f"{self.path}: {section}.{name}"


def known(table: Mapping[str, Entry], name: str, what: str) -> Entry:
    """An entry of a table by name.

    Raises:
        ConfigError: there is none of that name; the nearest is named.
    """
    if name not in table:
        raise ConfigError(f"no {what} is called {name!r}; {nearest(name, table)}")
    return table[name]


def shipped_benchmark() -> Path:
    """The benchmark file that comes with the harness."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "benchmark.toml"
    return checkout if checkout.exists() else package / "shipped" / "benchmark.toml"


def load(path: Path | None = None) -> LoadedBenchmark:
    """Read and check a benchmark file.

    Args:
        path: the file; None takes `benchmark.toml` of the current folder, else ours.

    Raises:
        ConfigError: the file is absent, is not TOML, or says what cannot be.
    """
    chosen = path or _default_path()
    check_spelled(chosen)
    document, files = _merged(chosen, ())
    document["datasets"] = datasets_with_inherited(document.get("datasets", {}), chosen)
    document["recipes"] = recipes_with_inherited(document.get("recipes", {}), chosen)
    benchmark = _parse(document, chosen)
    _check_references(benchmark, chosen)
    for file in files:
        _make_importable(file.parent)
    bases = tuple(file.resolve() for file in files[1:])
    return LoadedBenchmark(benchmark, chosen.resolve(), bases)


def with_settings(recipe: Recipe, changes: dict[str, Any], where: str) -> Recipe:
    """A recipe with some keys changed; dotted keys reach into its tables.

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
    try:
        return Recipe.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(_explained(error, Recipe, where)) from error


def _set(document: dict[str, Any], keys: list[str], value: Any, where: str) -> None:
    *parents, last = keys
    for key in parents:
        document = document.setdefault(key, {})
        if not isinstance(document, dict):
            raise ConfigError(f"{where}{'.'.join(keys)}: {key!r} is one value, not a table")
    both = isinstance(document.get(last), dict) and isinstance(value, dict)
    document[last] = {**document[last], **value} if both else value


def _default_path() -> Path:
    here = Path("benchmark.toml")
    return here if here.exists() else shipped_benchmark()


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: is a folder; name the benchmark file itself") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}; check its path and rights"
        ) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _merged(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], list[Path]]:
    """A file's tables on top of its bases', and all these files, the topmost first."""
    document = _read(path)
    if path.resolve() in above:
        raise ConfigError(f"{path}: is its own base; a chain of bases must come to an end")
    check_finite(document, f"{path}: ")
    base = document.get("base")
    if not isinstance(base, str):
        return document, [path]
    lower = shipped_benchmark() if base == "trialboard" else path.parent / base
    below, files = _merged(lower, (*above, path.resolve()))
    for section in NAMED:
        own, given = document.get(section, {}), below.get(section, {})
        if not isinstance(own, dict) or not isinstance(given, dict):
            document[section] = given if isinstance(own, dict) else own
            continue
        taken = sorted(set(own) & set(given))
        if taken:
            raise ConfigError(
                f"{path}: {section}.{taken[0]} is defined by the base {base!r} already; "
                "a base's entries stay as they are, so choose another name"
            )
        document[section] = {**given, **own}
    if "budget" in document and document["budget"] != below.get("budget"):
        raise ConfigError(
            f"{path}: budget: the base {base!r} has its own, and its protocols rest on it; "
            "leave it as it is, or write a benchmark without a base"
        )
    if "budget" in below:
        document["budget"] = below["budget"]
    return document, [path, *files]


def _parse(document: dict[str, Any], path: Path) -> Benchmark:
    try:
        return Benchmark.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(_explained(error, Benchmark, f"{path}: ")) from error


def _explained(error: ValidationError, model: type[BaseModel], where: str) -> str:
    return explain(error, where, lambda location: _known_keys(model, location))


def _known_keys(model: Any, location: Iterable[Any]) -> list[str]:
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


def _check_references(benchmark: Benchmark, path: Path) -> None:
    check_fold_names(benchmark.datasets, f"{path}: ")
    for name, suite in benchmark.suites.items():
        _check_suite(benchmark, suite, f"{path}: suites.{name}")


def _check_suite(benchmark: Benchmark, suite: Suite, where: str) -> None:
    _check_names(suite.datasets, benchmark.datasets, f"{where}.datasets")
    _check_names(suite.models, benchmark.models, f"{where}.models")
    _check_names(suite.losses, benchmark.losses, f"{where}.losses")
    for number, entry in enumerate(suite.entries):
        place = f"{where}.entries.{number}"
        _check_names([entry.model], benchmark.models, f"{place}.model")
        _check_names([entry.loss], benchmark.losses, f"{place}.loss")
        _check_names([entry.recipe] if entry.recipe else [], benchmark.recipes, f"{place}.recipe")
    recipes = [plan.recipe for plan in suite.profiles.values() if plan.recipe]
    _check_names(recipes, benchmark.recipes, f"{where}.profiles")
    for number, override in enumerate(suite.overrides):
        place = f"{where}.overrides.{number}"
        _check_rule(override, suite, place)
        wanted = [override.profile] if override.profile else []
        _check_names(wanted, suite.profiles, f"{place}.profile")
        named = [override.recipe] if override.recipe else []
        _check_names(named, suite.recipes, f"{place}.recipe")
        for recipe in _changed_by(override, suite):
            with_settings(benchmark.recipes[recipe], override.set, f"{place}.set.")
    for number, exclusion in enumerate(suite.exclude):
        _check_rule(exclusion, suite, f"{where}.exclude.{number}")


def _changed_by(override: Override, suite: Suite) -> set[str]:
    """The recipes that an override changes."""
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
        chosen = getattr(rule, key)
        _check_names([chosen] if chosen else [], names, f"{where}.{key}")


def _check_names(names: Iterable[str], table: Iterable[str], where: str) -> None:
    for name in names:
        if name not in set(table):
            raise ConfigError(f"{where}: {name!r} does not exist; {nearest(name, table)}")


def _make_importable(folder: Path) -> None:
    entry = str(folder.resolve())
    if entry not in sys.path:
        sys.path.append(entry)
