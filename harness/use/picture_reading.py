"""How a network's pictures were read, so that a file of somebody's is read as they were."""

from __future__ import annotations

from pathlib import Path

from harness.data.corpora.drawings import Drawings
from harness.data.corpora.pictures import Pictures
from harness.data.corpus import DamagedItem, Pixels, item_dimensions
from harness.data.picture import read_picture
from harness.data.square_picture import Fit, read_square
from harness.datasets.leak import CopiedPictures
from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.documents import Part


class PictureReading(Part):
    """How a file becomes a picture of a network.

    Attributes:
        colour: red, green and blue; else grey.
        size: side of the square that it becomes; None keeps the size that it has.
        fit: how it becomes a square.
        inverted: black becomes white, as where ink is what is drawn.
    """

    colour: bool = False
    size: int | None = None
    fit: Fit = "crop"
    inverted: bool = False

    def read(self, path: Path) -> Pixels:
        """Read a file.

        Raises:
            RequestError: it cannot be used.
        """
        try:
            if self.size is None:
                pixels = read_picture(path)
            else:
                pixels = read_square(path, self.size, colour=self.colour, fit=self.fit)
        except DamagedItem as error:
            raise RequestError(f"{path}: {error}") from error
        return 255 - pixels if self.inverted else pixels


def picture_reading(listing: Listing) -> PictureReading:
    """Return how the pictures of a dataset were read."""
    corpus = listing.corpus
    if isinstance(corpus, CopiedPictures):
        corpus = corpus.corpus
    if isinstance(corpus, Pictures):
        return PictureReading(colour=corpus.colour, size=corpus.size, fit=corpus.fit)
    if item_dimensions(corpus) == 2:
        return PictureReading(inverted=isinstance(corpus, Drawings))
    # Drawn in colour by the corpus itself, all of one size.
    first = next(listing.items.itertuples(index=False))
    return PictureReading(colour=True, size=len(listing.corpus.read(first, listing.folder)))
