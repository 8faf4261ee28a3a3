"""The bundled corpus ``open-impacts``: synthetic strikes on objects of six materials.

Modal synthesis: an object (``struck_objects``) is a set of resonances that a strike (``strikes``)
rings. Some objects have the sound of another material than their own and some strikes are muffled
by a hand, which gives the tail of very hard examples that losses such as GHM-C address.

Every object and every strike has its own random stream, named after it: any sound can be made
alone, in any order, and has the same bytes everywhere (see ``arithmetic``).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.synthesis.catalogue import Split
from harness.data.synthesis.impact_settings import ORIGINAL, ImpactSettings
from harness.data.synthesis.strikes import Blow, blow_on, strike
from harness.data.synthesis.struck_objects import ImpactObject, impact_object, object_catalogue

# Strikes of each object; `quick` takes the first ones of `full`.
_STRIKES: Final[dict[str, dict[Split, int]]] = {
    "quick": {"train": 4, "validation": 4, "test": 5},
    "full": {"train": 16, "validation": 8, "test": 12},
}


def synthesise(sound_id: str, settings: ImpactSettings = ORIGINAL) -> NDArray[np.int16]:
    """Make one sound of the corpus.

    Args:
        sound_id: an id of ``sounds``, such as ``impact-0012-03`` (object 12, strike 3).
        settings: of the corpus.

    Returns:
        int16 [16000]: one second at 16 kHz, mono.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    thing, place = _struck(sound_id, settings)
    signal = strike(thing, place, settings)
    return np.rint(np.clip(signal, -1.0, 1.0) * 32767.0).astype(np.int16)


def blow(sound_id: str, settings: ImpactSettings = ORIGINAL) -> tuple[ImpactObject, Blow]:
    """Return what is struck for one sound of the corpus, and how.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    thing, place = _struck(sound_id, settings)
    return thing, blow_on(thing, place, settings)


def difficulty(thing: ImpactObject, struck: Blow) -> str:
    """Return why a strike is hard to classify.

    Returns:
        ``misleading`` if its object sounds like another material, else ``muffled`` if a hand
        damps it, else ``plain``.
    """
    if thing.sounds_like != thing.material:
        return "misleading"
    return "muffled" if struck.muffled else "plain"


def _struck(sound_id: str, settings: ImpactSettings) -> tuple[ImpactObject, str]:
    """Return the object of a sound, and the place of its random numbers.

    Raises:
        KeyError: if the corpus has no such sound.
    """
    prefix, _, rest = sound_id.partition("-")
    number, _, nth = rest.partition("-")
    if prefix != "impact" or not (number.isdecimal() and nth.isdecimal()):
        raise KeyError(f"open-impacts has no sound {sound_id!r}")
    thing = impact_object(int(number), settings)
    in_range = int(nth) < _STRIKES["full"][thing.split]
    spelled = sound_id == _sound_id(int(number), int(nth))
    if not (in_range and spelled and thing.material in settings.materials):
        raise KeyError(f"open-impacts has no sound {sound_id!r}")
    return thing, f"{number}/{nth}"


def _sound_id(number: int, nth: int) -> str:
    return f"impact-{number:04d}-{nth:02d}"


def sounds(profile: Profile, settings: ImpactSettings = ORIGINAL) -> pd.DataFrame:
    """List the sounds of the corpus.

    Args:
        profile: ``full`` for all 6,720 sounds, ``quick`` for 2,040 of them: the first strikes
            of every object.
        settings: of the corpus; fewer materials have fewer sounds.

    Returns:
        One row a sound: id, object, material, split (train, validation or test), seconds.
    """
    rows = [
        (_sound_id(number, nth), f"object-{number:04d}", material, split, 1.0)
        for number, (split, material) in enumerate(object_catalogue())
        if material in settings.materials
        for nth in range(_STRIKES[profile][split])
    ]
    return pd.DataFrame(rows, columns=["id", "object", "material", "split", "seconds"])
