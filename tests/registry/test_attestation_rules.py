"""Attestations, true and forged, brought to published records on a real repository."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import scores_path, signature_path
from harness.board.record_store import load
from harness.records.attestation import Attestation
from harness.records.documents import readable_json
from harness.registry.admission import admit
from harness.registry.check import check
from harness.registry.verify_record import verify
from tests.attesting import bring, truthful
from tests.board.published_copy import Copy, forbid_scores, make_copy
from tests.keys import list_key, make_key, needs_keys, sign_records

pytestmark = needs_keys

OWN = 0.98
"""The published accuracy, on 500 pictures."""


class Scene(NamedTuple):
    """Published records of one who signs, `ann`; and `bob`, who is listed beside her."""

    copy: Copy
    keys: dict[str, Path]

    @property
    def record(self) -> Path:
        return self.copy.record("efficientnet-b0")

    @property
    def scores(self) -> bytes:
        return self.record.with_name(scores_path(self.record.name)).read_bytes()

    def bring(self, told: Attestation, scores: bytes | None, by: str | None = "bob") -> Path:
        return bring(self.record, told, scores, self.keys[by] if by else None)

    def told(self, value: float = OWN, **changes: Any) -> Attestation:
        return truthful(self.copy.loaded, self.record, value, **changes)

    def complaints(self) -> list[str]:
        return list(admit(self.copy.folder, "HEAD", self.copy.loaded).complaints)

    def trust(self) -> str:
        held = load(self.copy.folder, [self.record]).records
        return held[self.copy.name(self.record)].trust


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    copy = make_copy(tmp_path_factory.mktemp("template") / "repository")
    folder = tmp_path_factory.mktemp("keys")
    keys = {name: make_key(folder, name) for name in ("ann", "bob", "eve")}
    sign_records(
        [copy.record(name) for name in ("efficientnet-b0", "efficientnet-b1")], keys["ann"]
    )
    for name in ("ann", "bob"):
        list_key(copy.folder, keys[name], name)
    build(copy.folder)
    copy.commit()
    return Scene(copy, keys)


@pytest.fixture
def scene(template: Scene, tmp_path: Path) -> Scene:
    copy = Copy(Path(shutil.copytree(template.copy.top, tmp_path / "repository")))
    return Scene(copy, template.keys)


def other_scores(scores: bytes, turned: int) -> bytes:
    """Scores of which some right decisions are turned into wrong ones."""
    logits = np.load(io.BytesIO(scores))["logits"].copy()
    right = np.sort(logits, axis=1)
    sure = np.argsort(right[:, -2] - right[:, -1])[:turned]
    logits[sure] *= -1
    file = io.BytesIO()
    np.savez(file, logits=logits)
    return file.getvalue()


@pytest.mark.parametrize("turned", [0, 3], ids=["the same to the bit", "in the range"])
def test_a_truthful_attestation_of_somebody_else_makes_the_row_reproduced(
    scene: Scene, turned: int
) -> None:
    assert scene.trust() == "measured"
    scores = other_scores(scene.scores, turned) if turned else scene.scores
    path = scene.bring(scene.told(OWN - turned / 500), scores)
    assert scene.complaints() == []
    assert scene.trust() == "reproduced"
    build(scene.copy.folder)
    assert check(scene.copy.folder) == []
    document = json.loads((scene.copy.folder / "image.json").read_text())
    rows = {row["model"]: row["trust"] for row in document["tables"][0]["rows"]}
    assert (rows["efficientnet-b0"], rows["efficientnet-b1"]) == ("reproduced", "measured")
    verdict = verify(scene.copy.loaded, scene.record, scene.copy.top)
    assert (verdict.answer, verdict.notes) == ("verified", ())
    path.with_name(signature_path(path.name)).unlink()
    verdict = verify(scene.copy.loaded, scene.record, scene.copy.top)
    assert verdict.notes == (f"{path.name} lifts nothing: it is not signed",)


def test_one_that_is_the_same_to_the_bit_may_say_so(scene: Scene) -> None:
    told = scene.told(low=OWN, high=OWN, rule="equal", told="the same to the last bit")
    scene.bring(told.model_copy(update={"same_checkpoint": True}), scene.scores)
    assert scene.complaints() == []


def _own_second_key(scene: Scene) -> None:
    list_key(scene.copy.folder, scene.keys["eve"], "ann")
    scene.copy.commit()
    scene.bring(scene.told(), scene.scores, "eve")


def _key_of_the_change(scene: Scene) -> None:
    list_key(scene.copy.folder, scene.keys["eve"], "eve")
    scene.bring(scene.told(), scene.scores, "eve")


def _late_key(scene: Scene) -> None:
    list_key(scene.copy.folder, scene.keys["eve"], "eve", 'valid-before="20261122"')
    scene.copy.commit()
    scene.bring(scene.told(), scene.scores, "eve")


def _signed_something_else(scene: Scene) -> None:
    path = scene.bring(scene.told(by="B"), scene.scores)
    signature = path.with_name(signature_path(path.name)).read_bytes()
    for file in path.parent.glob("*.attestation-*"):
        file.unlink()
    path = scene.bring(scene.told(), scene.scores, None)
    path.with_name(signature_path(path.name)).write_bytes(signature)


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (_own_second_key, "signed by ann, who signed the record"),
        (_key_of_the_change, "it lifts nothing: signed by a key that the file 'signers' does not"),
        (_late_key, "signed by eve with a key that counts no longer"),
        (_signed_something_else, "it lifts nothing: no signature of this content"),
    ],
)
def test_a_signature_that_is_not_somebody_elses_is_refused(
    scene: Scene, forge: Any, said: str
) -> None:
    forge(scene)
    lines = [line for line in scene.complaints() if ".attestation-" in line]
    assert any(said in line for line in lines), lines


def test_a_record_that_nobody_signed_is_not_lifted(scene: Scene) -> None:
    path = scene.copy.record("efficientnet-b2")
    scores = path.with_name(scores_path(path.name)).read_bytes()
    bring(path, truthful(scene.copy.loaded, path, 0.964), scores, scene.keys["bob"])
    assert "it lifts nothing: its record is not signed itself" in "\n".join(scene.complaints())


FORGED: list[tuple[dict[str, Any], str]] = [
    ({"scores": False}, "it lifts nothing: it brings no scores of its own"),
    (
        {"key": "ann"},
        "it lifts nothing: signed by ann, who signed the record; somebody else has to",
    ),
    ({"key": "eve"}, "it lifts nothing: signed by a key that the file 'signers' does not list"),
    ({"key": None}, "it lifts nothing: it is not signed"),
    ({"value": 0.97}, "reproduced is 0.97, its scores give 0.98"),
    (
        {"low": 0.5, "high": 1.0},
        "its range is 0.5 to 1 (interval: the record's 95 % interval over the test sample",
    ),
    ({"rule": "seeds"}, "the published records give 0.960313 to 0.990023 (interval: "),
    ({"told": "trust me"}, "its range is 0.960313 to 0.990023 (interval: trust me)"),
    ({"low": OWN, "high": OWN, "rule": "equal", "told": "equal"}, "its range is 0.98 to 0.98"),
    ({"recorded": 0.97}, "says that the record has 0.97, which has 0.98"),
    ({"metric": "macro_f1", "recorded": 0.9792300393267308}, "tells of 'macro_f1'"),
    ({"code": "1" * 40}, "code 111111111111 is no commit of this repository"),
    ({"code": "release 1"}, "code is 'release 1', no commit"),
    ({"finished": "2126-01-01T00:00:00+00:00"}, "which lies in the future"),
    ({"finished": "2026-01-01T00:00:00+00:00"}, "which is before its record was made"),
    ({"finished": "yesterday"}, "finished is 'yesterday', no time of ISO 8601"),
    ({"same_environment": False}, "same_environment is False, the two environments say True"),
    ({"environment": None}, "same_environment is True, the two environments say False"),
    ({"same_checkpoint": None}, "same_checkpoint is None, and its record names weights"),
    ({"record": "f" * 64}, "of another record than the one beside it"),
]
"""What a forger changes of a truthful attestation by somebody whose key is listed, and the answer.

`value` is what it says to have got, `scores` whether it brings some, `key` whose signs it.
"""


@pytest.fixture(scope="module")
def forged(template: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """All forgeries beside one record: the place in the list -> the complaints about each."""
    top = shutil.copytree(template.copy.top, tmp_path_factory.mktemp("forged") / "repository")
    scene = Scene(Copy(Path(top)), template.keys)
    names = {}
    for place, (changes, _) in enumerate(FORGED):
        said = {k: v for k, v in changes.items() if k not in ("value", "scores", "key")}
        told = scene.told(changes.get("value", OWN), by=str(place), **said)
        scores = scene.scores if changes.get("scores", True) else None
        names[place] = scene.copy.name(scene.bring(told, scores, changes.get("key", "bob")))
    lines = scene.complaints()
    assert scene.trust() == "reproduced"  # By those that only what admission sees tells apart.
    return {place: [line for line in lines if line.startswith(n)] for place, n in names.items()}


@pytest.mark.parametrize(
    ("place", "said"), [(place, said) for place, (_, said) in enumerate(FORGED)]
)
def test_a_forged_attestation_is_refused(
    forged: dict[int, list[str]], place: int, said: str
) -> None:
    assert any(said in line for line in forged[place]), forged[place]


def test_the_same_weights_on_the_same_machine_give_the_same_value(scene: Scene) -> None:
    told = scene.told(OWN - 1 / 500, same_checkpoint=True)
    scene.bring(told, other_scores(scene.scores, 1))
    assert "the same weights in the same environment gave another value" in scene.complaints()[0]


def forged_scores(scene: Scene) -> Iterator[tuple[bytes, str]]:
    other = scene.copy.record("efficientnet-b1")
    yield other.with_name(scores_path(other.name)).read_bytes(), "its scores give 0.964"
    yield b"none", "cannot be judged by its lists"


def test_scores_of_another_entry_or_none_at_all_are_refused(scene: Scene) -> None:
    for scores, said in forged_scores(scene):
        path = scene.bring(scene.told(by=said), scores)
        assert said in "\n".join(scene.complaints())
        verdict = verify(scene.copy.loaded, scene.record, scene.copy.top)
        assert verdict.answer == "differs"
        assert verdict.reasons[0].startswith(path.name)
        for file in path.parent.glob("*.attestation-*"):
            file.unlink()


def test_scores_that_were_exchanged_later_are_named(scene: Scene) -> None:
    path = scene.bring(scene.told(), scene.scores)
    scores = path.with_name(scores_path(path.name))
    scores.write_bytes(scores.read_bytes()[::-1])
    assert any(
        "not the scores that its attestation names" in line for line in check(scene.copy.folder)
    )
    scores.write_bytes(b"short")
    assert scene.trust() == "measured"
    scores.unlink()
    assert any(
        f"{scores.name}: missing; its attestation" in line for line in check(scene.copy.folder)
    )


def test_files_of_an_attestation_that_is_not_there_are_named(scene: Scene) -> None:
    path = scene.bring(scene.told(), scene.scores)
    path.unlink()
    said = "\n".join(check(scene.copy.folder))
    for name in (scores_path(path.name), signature_path(path.name)):
        assert f"{name}: stale, no record beside it; delete it" in said


def test_an_attestation_spelled_otherwise_is_named(scene: Scene) -> None:
    path = scene.bring(scene.told(), scene.scores)
    path.write_text(readable_json(json.loads(path.read_text())) + " ")
    assert any("not spelled as it was written" in line for line in scene.complaints())


def test_where_scores_may_not_lie_there_the_signature_alone_counts(scene: Scene) -> None:
    for signature in scene.copy.folder.rglob("*.sig"):
        signature.unlink()
    forbid_scores(scene.copy)
    sign_records(scene.copy.records(), scene.keys["ann"])
    build(scene.copy.folder)
    scene.copy.commit()
    path = scene.bring(scene.told(OWN - 3 / 500), None)
    assert scene.complaints() == []
    build(scene.copy.folder)
    assert (
        "reproduced (signed, scores not published)" in (scene.copy.folder / "image.md").read_text()
    )
    path.with_name(scores_path(path.name)).write_bytes(b"scores")
    assert f"{scores_path(path.name)}: its attestation names no scores" in "\n".join(
        scene.complaints()
    )
