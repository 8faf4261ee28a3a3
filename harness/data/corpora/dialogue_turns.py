"""Turns of dialogues from lists, with vectors of their text, audio and video."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.corpus import DamagedItem, ItemNote, TurnVectors, Uncompared
from harness.data.reading.feature_files import ENDINGS, Features, fit_frames, read_features
from harness.data.reading.turn_lists import Column, DialogueTurn, TurnColumns, read_turns, tokens
from harness.errors import ConfigError, DataError

LSA = "lsa"
SENTENCES = "sentence-transformers:"

MODALITIES = ("text", "audio", "video")


@dataclass(frozen=True, kw_only=True)
class DialogueTurns(Uncompared):
    """A list of turns, and where the vectors of each modality come from.

    A source of vectors is a file of features below the corpus's folder (`.npz`, Parquet, or a
    pickle of arrays, keyed by the turns' ids), or nothing. That of text may be `lsa` too (TF-IDF
    and SVD, fitted to the training split), or `sentence-transformers:FOLDER`, a model that lies on
    this machine.

    Attributes:
        file: the list with all turns; empty for `train.tsv`, `dev.tsv` and `test.tsv`.
        id, label, words, dialogue, split_column: columns (see `TurnColumns`).
        text, audio, video: sources of vectors.
        dimensions: latent directions of `lsa`.
        frames: vectors of a turn: 1 pools a sequence, more keep it (see `fit_frames`); with `lsa`
            a frame is a word.
    """

    file: str = ""
    id: tuple[Column, ...] = ("utt_id",)
    label: Column = "dialogue_act"
    words: Column | None = "text"
    dialogue: Column | None = None
    split_column: Column = "split"
    text: str = LSA
    audio: str = ""
    video: str = ""
    dimensions: int = 96
    frames: int = 1

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "vectors"
    needs_folder: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: no modality has vectors, a source is unknown, or a number is too small.
        """
        if not any(getattr(self, name) for name in MODALITIES):
            raise ValueError("text, audio and video are all empty; give one a source")
        for name in MODALITIES:
            source = getattr(self, name)
            computed = name == "text" and (source == LSA or source.startswith(SENTENCES))
            if source and not computed and Path(source).suffix not in ENDINGS:
                raise ValueError(f"{name} = {source!r}: give a file that ends in {ENDINGS}")
        if self.dimensions < 1 or self.frames < 1:
            raise ValueError("dimensions and frames must be at least 1")

    @property
    def unit(self) -> str:
        """Dialogues, where the lists tell them."""
        return "turn" if self.dialogue is None else "dialogue"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every turn; `tokens` is its number of words."""
        del profile
        rows = [
            {
                "id": turn.id,
                "unit": turn.dialogue,
                "label": turn.label,
                "seconds": 0.0,
                "source": f"{turn.source}#{turn.line}",
                "line": turn.line,
                "split": turn.split,
                **({"tokens": f"{len(tokens(turn.words))}"} if self.words is not None else {}),
            }
            for turn in self._turns(folder)
        ]
        if not rows:
            raise DataError(f"{folder}: its lists hold no turns")
        return pd.DataFrame(rows)

    def sizes(self, folder: Path) -> dict[str, int]:
        """Return the length of each modality's vectors, and the frames."""
        found = _vectors(self, folder)
        return {name: found.size(name) for name in MODALITIES} | {"frames": self.frames}

    def read(self, item: Any, folder: Path) -> TurnVectors:
        """Return a turn's modalities side by side, `[frames, size]`.

        Raises:
            DamagedItem: a file of features has no such id.
        """
        return _vectors(self, folder).of(str(item.id))

    def _turns(self, folder: Path) -> list[DialogueTurn]:
        split = self.split_column if self.file else None
        columns = TurnColumns(self.id, self.label, self.words, self.dialogue, split)
        return read_turns(folder, self.file, columns)


class _Vectors:
    """The vectors of a corpus's turns, held in memory.

    Args:
        corpus: whose.
        folder: of its files.
    """

    def __init__(self, corpus: DialogueTurns, folder: Path) -> None:
        self._frames = corpus.frames
        self._found: dict[str, Features] = {}
        for name in MODALITIES:
            source = getattr(corpus, name)
            if source and Path(source).suffix in ENDINGS:
                self._found[name] = read_features(folder / source)
            elif source == LSA:
                self._found[name] = _lsa(corpus, folder)
            elif source:
                self._found[name] = _sentences(corpus, folder, source.removeprefix(SENTENCES))

    def size(self, name: str) -> int:
        """Return the length of a modality's vectors; 0 without it."""
        found = self._found.get(name)
        return next(iter(found.values())).shape[1] if found else 0

    def of(self, name: str) -> NDArray[np.float32]:
        """Return the vectors of a turn."""
        parts = []
        for modality, found in self._found.items():
            if name not in found:
                raise DamagedItem(f"no {modality} vectors of {name!r}")
            parts.append(fit_frames(found[name], self._frames))
        whole = np.concatenate(parts, axis=1)
        if not whole.any():
            import warnings

            warnings.warn("all its vectors are zeros: no word is known", ItemNote, stacklevel=2)
        return whole


@lru_cache(maxsize=2)
def _vectors(corpus: DialogueTurns, folder: Path) -> _Vectors:
    return _Vectors(corpus, folder)


def _lsa(corpus: DialogueTurns, folder: Path) -> Features:
    """Return the LSA vectors of each turn's words."""
    from harness.data.reading.text_vectors import fit_words

    _require_words(corpus)
    turns = corpus._turns(folder)
    fitted = fit_words(
        [tokens(turn.words) for turn in turns if turn.split == "train"], corpus.dimensions
    )
    return {turn.id: fitted.of(tokens(turn.words)) for turn in turns}


def _sentences(corpus: DialogueTurns, folder: Path, model: str) -> Features:
    """Return sentence vectors by a model of sentence-transformers on this machine."""
    _require_words(corpus)
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            f"text = '{SENTENCES}{model}' needs `pip install sentence-transformers`; 'lsa' needs "
            "nothing"
        ) from error
    turns = corpus._turns(folder)
    encoder = SentenceTransformer(model, device="cpu", local_files_only=True)
    vectors = encoder.encode([turn.words for turn in turns], show_progress_bar=False)
    pairs = zip(turns, np.asarray(vectors, np.float32), strict=True)
    return {turn.id: vector[None] for turn, vector in pairs}


def _require_words(corpus: DialogueTurns) -> None:
    if corpus.words is None:
        raise ConfigError(f"text = {corpus.text!r}: the lists have no words; give `words`")
