"""The tiny corpus and its benchmark file, for the tests of this folder."""

from tests.speech import _own_surroundings, loaded, manifest, speech  # noqa: F401
