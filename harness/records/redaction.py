"""Secrets of the environment, kept out of reasons and logs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|(API|ACCESS|AUTH|ACCOUNT)_?KEY", re.I)

SHORTEST = 6
"""Characters of a value that is looked for: a shorter one would stand in any text."""


def is_secret(name: str) -> bool:
    """Return whether the name of a variable says that its value is a secret.

    >>> is_secret("HF_TOKEN"), is_secret("AWS_SECRET_ACCESS_KEY"), is_secret("HOME")
    (True, True, False)
    """
    return _SECRET.search(name) is not None


def without_secrets(text: str, variables: Mapping[str, str] = os.environ) -> str:
    """Put the names of secret variables in the place of their values.

    >>> without_secrets("401 for key-7f3a", {"HF_TOKEN": "key-7f3a", "HOME": "401 for"})
    '401 for [$HF_TOKEN]'
    """
    for name, value in variables.items():
        if len(value) >= SHORTEST and is_secret(name):
            text = text.replace(value, f"[${name}]")
    return text
