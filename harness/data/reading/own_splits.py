"""Which of a layout's parts train and which are held out."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import ConfigError


def own_splits(parts: Mapping[str, str], where: str) -> dict[str, str]:
    """The split of each part; empty where the benchmark is to split it.

    Training speakers without validation speakers are left to the benchmark, which holds some
    of them out.

    Args:
        parts: `train`, `validation` and `test` -> the part's name, empty where there is none.
        where: the corpus, for the error.

    Returns:
        Part -> `train`, `validation`, `test` or nothing, in this order.

    Raises:
        ConfigError: parts to train on or to test on are missing, or two are one.

    >>> own_splits({"train": "dev", "validation": "", "test": "eval"}, "corpus")
    {'dev': '', 'eval': 'test'}
    """
    given = {split: name for split, name in parts.items() if name}
    if set(given) not in ({"train"}, {"train", "test"}, {"train", "validation", "test"}):
        raise ConfigError(
            f"{where}: {_listed(given)} {'is' if len(given) == 1 else 'are'} given; give `train` "
            "alone, `train` and `test`, or `train`, `validation` and `test`"
        )
    if len(set(given.values())) < len(given):
        raise ConfigError(f"{where}: {_listed(given)} must be parts of their own")
    whole = "validation" in given
    return {name: split if whole or split == "test" else "" for split, name in given.items()}


def _listed(given: Mapping[str, str]) -> str:
    return " and ".join(f"`{split} = {name!r}`" for split, name in given.items()) or "no part"
