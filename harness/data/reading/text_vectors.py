"""Vectors of texts without a network: TF-IDF weights on latent directions (LSA).

Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 41, 1990. The vector of a text is
the mean of the vectors of its words, so that a network can drop words of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

LEAST = 2
"""Training texts that a word stands in, at least, to have a vector."""

MOST_WORDS = 4000
"""Words with vectors, the most frequent ones: time grows with their cube."""

GRID = 2.0**12
"""Weights and directions are whole numbers of its inverse: other linear algebra rounds alike."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words with their vectors.

    Attributes:
        rows: word -> its row.
        weights: inverse document frequencies, `[words]`.
        vectors: the weighted directions of the words, `[words, size]`.
    """

    rows: Mapping[str, int]
    weights: NDArray[np.float64]
    vectors: NDArray[np.float64]

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector for each known word of a text, in order; at least one row, of zeros.

        Their mean is the text's TF-IDF vector, of length 1, in the latent directions.
        """
        rows = [self.rows[word] for word in words if word in self.rows]
        if not rows:
            return np.zeros((1, self.vectors.shape[1]), dtype=np.float32)
        counts = Counter(rows)
        norm = sum((count * self.weights[row]) ** 2 for row, count in sorted(counts.items())) ** 0.5
        return np.asarray(self.vectors[rows] * (len(rows) / norm), dtype=np.float32)


def fit_words(texts: Sequence[Sequence[str]], size: int) -> WordVectors:
    """Fit word vectors to the words of training texts.

    The inverse document frequency is log((1 + texts) / (1 + texts with the word)) + 1; directions
    are the right singular vectors of the matrix of texts of length 1, each with its largest entry
    above zero.

    Args:
        texts: of the training split alone.
        size: latent directions; those beyond the number of words are zeros.
    """
    found = Counter(word for words in texts for word in set(words))
    known = (word for word, count in found.items() if count >= LEAST)
    often = sorted(known, key=lambda word: (-found[word], word))
    names = sorted(often[:MOST_WORDS])
    rows = {word: row for row, word in enumerate(names)}
    seen = np.array([found[word] for word in names], dtype=np.float64)
    weights = np.rint((np.log((1 + len(texts)) / (1 + seen)) + 1) * GRID) / GRID
    counted = [Counter(rows[word] for word in words if word in rows) for words in texts]
    entries = [(place, row, n) for place, each in enumerate(counted) for row, n in each.items()]
    at, column, number = np.array(entries, dtype=np.int64).reshape(-1, 3).T
    matrix = sparse.csr_matrix(
        (number * weights[column], (at, column)), shape=(len(texts), len(names))
    )
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    unit = sparse.diags(1 / np.where(norms > 0, norms, 1)) @ matrix
    directions = _directions((unit.T @ unit).toarray(), size)
    vectors = np.rint(weights[:, None] * directions * GRID) / GRID
    return WordVectors(rows, weights, vectors)


def _directions(products: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the eigenvectors of the largest eigenvalues, `[words, size]`."""
    count, kept = len(products), min(size, len(products))
    directions = np.zeros((count, size))
    if not kept:
        return directions
    with threadpool_limits(1):
        _, found = linalg.eigh(products, subset_by_index=[count - kept, count - 1])
    found = found[:, ::-1]
    largest = np.abs(found).argmax(axis=0)
    directions[:, :kept] = found * np.sign(found[largest, np.arange(kept)])
    return directions
