"""What somebody gives of an entry: what it is called, and its files or claims."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import RequestError
from harness.records.record import Submission
from harness.registry.submit.class_scores import class_scores
from harness.registry.submit.embeddings import DECIDED, embedding_scores
from harness.registry.submit.place import Place
from harness.registry.submit.trial_scores import decided, trial_scores
from harness.tasks.task import Scores

LONGEST_NAME = 100
LONGEST_TEXT = 1_000

NOT_DECIDED = (
    "nothing of the validation split was given: what a threshold and a calibration decide is not "
    "judged"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is told of an entry.

    Attributes:
        name: its row's.
        submitter: who gives it.
        source: where it is described, an address or text.
        system: what made it, in words.
    """

    name: str
    submitter: str = ""
    source: str = ""
    system: str = ""


@dataclass(frozen=True, kw_only=True)
class Given:
    """One of scores, embeddings and claims.

    Attributes:
        scores: of the test trials, or of classes for each test item.
        validation_scores: of the validation trials, from the same system.
        embeddings: of items.
        claims: `METRIC=VALUE`, as published elsewhere.
    """

    scores: Path | None = None
    validation_scores: Path | None = None
    embeddings: Path | None = None
    claims: tuple[str, ...] = ()

    @property
    def made_from(self) -> str:
        """What it is, as records say it."""
        return "claim" if self.claims else "embeddings" if self.embeddings else "scores"

    @property
    def files(self) -> dict[str, Path]:
        """The files, by the options that give them."""
        every = {
            "scores": self.scores,
            "validation-scores": self.validation_scores,
            "embeddings": self.embeddings,
        }
        return {name: path for name, path in every.items() if path is not None}


def check_given(entry: Entry, given: Given) -> None:
    """Refuse what does not go together, and names that no table can show.

    Raises:
        RequestError: what, and the mend.
    """
    if [bool(given.scores), bool(given.embeddings), bool(given.claims)].count(True) != 1:
        raise RequestError("give one of --scores, --embeddings and --claim")
    if given.validation_scores and not given.scores:
        raise RequestError("--validation-scores belong to --scores; give these too")
    if given.claims and not entry.source:
        raise RequestError("--claim: a claim needs --source, where the figure was published")
    if not entry.name.strip() or len(entry.name) > LONGEST_NAME:
        raise RequestError(f"--name: give 1 to {LONGEST_NAME} characters")
    for option, text in vars(entry).items():
        if len(text) > LONGEST_TEXT:
            raise RequestError(f"--{option}: at most {LONGEST_TEXT} characters")
        if not text.isprintable() or text != text.strip():
            raise RequestError(f"--{option} {text!r}: one line of text, no blanks around it")


def told(entry: Entry, given: Given) -> Submission:
    """The part of a record that tells of a submission; its files' hashes come with the files."""
    return Submission.model_validate(
        {
            "submitter": entry.submitter,
            "source": entry.source,
            "system": entry.system,
            "made_from": given.made_from,
        }
    )


def scores_of(place: Place, given: Given) -> tuple[Scores, tuple[str, ...]]:
    """The arrays that its files come to, and what a reader of the row must know of them.

    Raises:
        RequestError: a file is not what the suite's task judges.
    """
    scores = _scores(place, given)
    lacking = place.task.output == "embedding" and not set(DECIDED) & scores.keys()
    return scores, (NOT_DECIDED,) if lacking else ()


def _scores(place: Place, given: Given) -> Scores:
    listing, task = place.listing, place.task
    judges_classes = task.output == "logits"
    if given.embeddings is not None:
        if judges_classes:
            raise RequestError("this suite judges decisions, not embeddings; give --scores")
        return embedding_scores(given.embeddings, listing, task)
    if given.scores is None:
        raise TypeError("a claim has no scores")
    if judges_classes:
        if given.validation_scores:
            raise RequestError("--validation-scores: this suite decides nothing on validation")
        return {"logits": class_scores(given.scores, listing)}
    test = {"scores": trial_scores(given.scores, listing, "test")}
    if given.validation_scores is None:
        return test
    validation = trial_scores(given.validation_scores, listing, "validation")
    return {**test, **decided(validation, listing, task.parameters())}
