"""Conformance suite: every promise of the interface, checked against an adapter."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields, is_dataclass
from typing import Any

import tomli_w
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from harness.adapter import LossAdapter, ModelAdapter
from harness.testing.requirements import ConformanceError, require


def check_model(adapter: ModelAdapter, *, frames: int = 200) -> None:
    """Check a model adapter: its facts, then the backbone it builds.

    The backbone is checked for the embeddings' shape and type, the same answer twice and alone as
    in a batch (evaluation mode), other lengths (audio), half precision, gradients, saving and
    loading.

    Args:
        adapter: the model's.
        frames: length of audio inputs; others are shorter and longer. Fewer are quicker.

    Raises:
        ConformanceError: names the first promise that does not hold.
    """
    from harness.testing import model_checks

    _check_facts(adapter, ModelAdapter)
    for check in model_checks.CHECKS:
        check(adapter, frames)


def check_loss(adapter: LossAdapter) -> None:
    """Check a loss adapter: its facts, then the head it builds.

    The head is checked for a finite scalar loss, logits, half precision, gradients, the
    attributes that schedules drive, saving and loading.

    Raises:
        ConformanceError: names the first promise that does not hold.
    """
    from harness.testing import loss_checks

    _check_facts(adapter, LossAdapter)
    for check in loss_checks.CHECKS:
        check(adapter)


def _check_facts(adapter: Any, interface: type) -> None:
    """Check that an adapter is a frozen dataclass that can be made again from its fields.

    Also from a table of a benchmark file, read as the harness reads one.
    """
    require(isinstance(adapter, interface), adapter, f"lacks a part of {interface.__name__}")
    require(is_dataclass(adapter), adapter, "is no dataclass")
    require(adapter.__dataclass_params__.frozen, adapter, "is no frozen dataclass")
    version = getattr(type(adapter), "version", None)
    require(isinstance(version, int), adapter, "has no whole-number class constant `version`")
    given = {field.name: getattr(adapter, field.name) for field in fields(adapter) if field.init}
    again = type(adapter)(**given)
    require(again == adapter, adapter, "is another one when made again from its fields")
    table = {name: value for name, value in given.items() if value is not None}
    try:
        read = tomllib.loads(tomli_w.dumps(table))
        made = TypeAdapter(type(adapter)).validate_json(json.dumps(read), strict=True)
    except (TypeError, ValidationError, PydanticUserError, PydanticUndefinedAnnotation) as error:
        why = " ".join(str(error).split())
        raise ConformanceError(
            f"{type(adapter).__name__}: its fields do not go through a TOML table: {why}"
        ) from error
    require(made == adapter, adapter, "is another one when its fields went through a TOML table")
