"""What is asked of rows and tables again and again, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

Result = TypeVar("Result")


class Once:
    """Something that never changes, so that what was computed of it stays right."""

    def once(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What is computed under a key; computed when it is first asked for."""
        if key not in self._computed:
            self._computed[key] = compute()
        found: Result = self._computed[key]
        return found

    @cached_property
    def _computed(self) -> dict[Hashable, Any]:
        return {}
