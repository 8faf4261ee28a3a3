"""An order of names that no table decides: by a hash of a seed and the name."""

from __future__ import annotations

import hashlib


def hash_order(seed: int, name: str) -> str:
    """What a name is sorted by: sha256(seed:name), in hexadecimal."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
