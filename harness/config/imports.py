"""Objects of the classes that a benchmark file names by import path, with typed fields."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.config.trust import check_trusted
from harness.errors import ConfigError, HarnessError, JobFailed, nearest, raised


def load_class(path: str, where: str) -> type[Any]:
    """Import `package.module:Class`.

    Args:
        path: the import path.
        where: the key that names it, for the error.

    Raises:
        ConfigError: the path is malformed, the module or the class does not exist, or the
            module cannot be imported, or is not trusted.
        JobFailed: the module raised something else while it was imported, or wanted to exit.
    """
    found: type[Any] = _load(path, where, "class", inspect.isclass)
    return found


def load_function(path: str, where: str) -> Callable[..., Any]:
    """Import `package.module:function`; arguments and errors are those of `load_class`."""
    found: Callable[..., Any] = _load(path, where, "function", inspect.isfunction)
    return found


def _load(path: str, where: str, kind: str, is_such: Callable[[Any], bool]) -> Any:
    module_name, _, name = path.partition(":")
    if not name.isidentifier() or not all(map(str.isidentifier, module_name.split("."))):
        example = "Class" if kind == "class" else kind
        raise ConfigError(
            f"{where}: {path!r} is not an import path; write 'package.module:{example}'"
        )
    check_trusted(module_name, where)
    module = _import(module_name, where)
    found = getattr(module, name, None)
    if not is_such(found):
        known = [
            name
            for name, thing in vars(module).items()
            if is_such(thing) and thing.__module__ == module_name
        ]
        raise ConfigError(f"{where}: {module_name} has no {kind} {name!r}; {nearest(name, known)}")
    return found


def construct(
    path: str,
    given: dict[str, Any],
    where: str,
    others: Iterable[str] = ("adapter",),
    key: str = "adapter",
) -> Any:
    """Make the frozen dataclass that an import path names from the fields of its table.

    Args:
        path: the import path.
        given: the fields.
        where: the table, for the error.
        others: keys of the table that are not fields; a misspelt one lands among the fields.
        key: the key that holds the import path.

    Raises:
        ConfigError: unknown field, missing field or wrong type, naming the key.
        JobFailed: its own code raised something else than a ValueError about its fields.
    """
    found = load_class(path, f"{where}.{key}")
    if not is_dataclass(found):
        raise ConfigError(f"{where}.{key}: {path} is not a dataclass")
    names = [field.name for field in fields(found) if field.init]
    unknown = [name for name in given if name not in names]
    if unknown:
        # pydantic would leave out what a plain dataclass does not know, without a word.
        near = nearest(unknown[0], {*names, *others})
        raise ConfigError(f"{where}.{unknown[0]}: unknown key; {near}")
    try:
        return TypeAdapter(found).validate_json(json.dumps(given, default=str), strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, f"{where}.", lambda _: names)) from error
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        raise JobFailed(f"{where}: making {path} failed: {raised(error)}") from error


def explain(
    error: ValidationError, where: str, known: Callable[[tuple[int | str, ...]], list[str]]
) -> str:
    """Describe a validation error, one line a key, each with its remedy.

    Args:
        error: as pydantic raised it.
        where: put before every key.
        known: returns the keys that the table at a place may have.
    """
    return "\n".join(_line(detail, where, known(detail["loc"][:-1])) for detail in error.errors())


def _line(detail: Any, where: str, known: list[str]) -> str:
    key = (where + ".".join(str(part) for part in detail["loc"])).rstrip(".: ")
    if detail["type"] == "extra_forbidden":
        return f"{key}: unknown key; {nearest(str(detail['loc'][-1]), known)}"
    if detail["type"] == "missing":
        return f"{key}: missing; it must be given"
    message = detail["msg"].removeprefix("Value error, ")
    found = "" if isinstance(detail["input"], dict) else f" (found {detail['input']!r})"
    return f"{key}: {message}{found}"


def _import(name: str, where: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{where}: cannot import {name!r}: no module named {error.name!r}; "
            "install it, or put its file beside the benchmark file"
        ) from error
    except (ImportError, SyntaxError) as error:
        raise ConfigError(f"{where}: importing {name!r} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise JobFailed(f"{where}: importing {name!r} failed: {raised(error)}") from error
