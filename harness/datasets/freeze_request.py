"""The table of a frozen subset: made from a request, compared with one, and added to the file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.config.datasets import Dataset, FreezeRule, TrialRule
from harness.config.imports import explain
from harness.config.loader import LoadedBenchmark, look_up
from harness.config.tables import ConfigTable, Name
from harness.config.toml_text import key_text, value_text
from harness.errors import ConfigError, PathError
from harness.records.files import lock, read_bytes, write_bytes

FOLDER = "splits"
"""Folder of subsets' lists, beside the benchmark file."""

Rule = TypeVar("Rule", bound=ConfigTable)


@dataclass(frozen=True)
class SubsetRequest:
    """The subset that a user asks for; options that are not given are left out.

    Attributes:
        name: the new dataset.
        of: the corpus it is cut from; None if the benchmark file has it.
        rule: keys of a `FreezeRule`.
        trials: keys of a `TrialRule`.
        declare: add its table to the benchmark file.
    """

    name: str
    of: str | None = None
    rule: dict[str, Any] = field(default_factory=dict)
    trials: dict[str, Any] = field(default_factory=dict)
    declare: bool = True


def subset_config(loaded: LoadedBenchmark, request: SubsetRequest) -> Dataset:
    """Return the subset's table: that of the benchmark file, else a new one by the request.

    Raises:
        ConfigError: the request does not say enough, says what cannot be, or contradicts the file.
    """
    try:
        TypeAdapter(Name).validate_python(request.name)
    except ValidationError as error:
        raise ConfigError(
            f"{request.name!r} cannot name a dataset; use letters, digits and . _ + -"
        ) from error
    declared = loaded.benchmark.datasets.get(request.name)
    if declared is None:
        return _new_config(loaded, request)
    _check_agrees(declared, request, loaded.where("datasets", request.name))
    return declared


def _new_config(loaded: LoadedBenchmark, request: SubsetRequest) -> Dataset:
    if request.of is None:
        raise ConfigError(f"{request.name}: new; name the corpus it is cut from with --from")
    if "count" not in request.rule:
        raise ConfigError(f"{request.name}: new; say how many utterances it has with --count")
    if request.trials and "count" not in request.trials:
        raise ConfigError(f"{request.name}: shares of how many trials? Say it with --trials")
    corpus = look_up(loaded.benchmark.datasets, request.of, "dataset")
    if corpus.of is not None:
        raise ConfigError(f"{request.of}: stands on {corpus.of!r} itself; name that one")
    place = f"datasets.{request.name}"
    split = corpus.split.model_dump(exclude_none=True, exclude={"folds"}) if corpus.split else {}
    trials: dict[str, Any] = {"trials": corpus.trials, "draw_trials": corpus.draw_trials}
    if request.trials:
        drawn = _validate_rule(TrialRule, request.trials, f"{place}.draw_trials.")
        trials = {"trials": None, "draw_trials": drawn}
    own = {
        "of": request.of,
        "frozen": f"{FOLDER}/{request.name}.tsv",
        "freeze": _validate_rule(FreezeRule, {**split, **request.rule}, f"{place}.freeze."),
        "split": None,
        "published": None,
    }
    return corpus.model_copy(update=own | trials)


def _validate_rule(model: type[Rule], given: dict[str, Any], where: str) -> Rule:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(explain(error, where, lambda _: list(model.model_fields))) from error


def _check_agrees(declared: Dataset, request: SubsetRequest, where: str) -> None:
    if declared.frozen is None:
        raise ConfigError(f"{where}: no frozen subset; give the new one another name")
    if declared.freeze is None:
        raise ConfigError(
            f"{where}.freeze: missing; write the rule there, as in {{ count = 1000 }}"
        )
    _check_equal({"of": request.of} if request.of else {}, declared, f"{where}.of")
    _check_equal(request.rule, declared.freeze, f"{where}.freeze")
    if request.trials and declared.draw_trials is None:
        raise ConfigError(f"{where}.draw_trials: missing; the file says what is compared")
    _check_equal(request.trials, declared.draw_trials, f"{where}.draw_trials")


def _check_equal(given: dict[str, Any], declared: Any, where: str) -> None:
    for key, value in given.items():
        held = getattr(declared, key)
        if value != held:
            place = where if key == "of" else f"{where}.{key}"
            raise ConfigError(
                f"{place}: is {'not given' if held is None else repr(held)} there, and {value!r} "
                "is asked for; leave that option out, or freeze under another name"
            )


def table_text(name: str, keys: dict[str, Any]) -> str:
    """Return a dataset's table in TOML, rules as inline tables, without keys that have no value.

    >>> print(table_text("a.1", {"of": "a", "trials": None}), end="")
    [datasets."a.1"]
    of = "a"
    """
    text = f"[datasets.{key_text(name)}]\n"
    for key, value in keys.items():
        plain = value.model_dump(exclude_none=True) if isinstance(value, ConfigTable) else value
        if plain is not None:
            text += f"{key_text(key)} = {value_text(plain)}\n"
    return text


def append_table(path: Path, text: str, lock_path: Path) -> bool:
    """Append a table to a benchmark file; nothing else in it changes.

    Args:
        path: the file.
        text: the table.
        lock_path: taken against another process that writes beside the file.

    Returns:
        False if the file may not be written.

    Raises:
        ConfigError: the file has such a table, or holds its datasets in a form that cannot be
            added to.
    """
    with lock(lock_path):
        before = read_bytes(path)
        gap = b"\n" if before.endswith(b"\n") else b"\n\n"
        after = before + gap + text.encode()
        try:
            tomllib.loads(after.decode())
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"{path}: a table cannot be added at its end ({error}); put it in by hand:\n{text}"
            ) from error
        try:
            if os.access(path, os.W_OK):
                write_bytes(path, after)
                return True
        except PathError:
            pass
        return False
