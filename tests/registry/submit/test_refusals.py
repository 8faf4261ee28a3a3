"""Files that are not what they have to be: each is refused with what, where and how many."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import RequestError
from tests.registry.submit.conftest import Site


def refused(site: Site, message: str, **given: Any) -> None:
    with pytest.raises(RequestError, match=message):
        site.submit(**given)
    assert not list(site.runs.glob("*/*/*/*"))


def test_a_missing_trial_is_named_with_its_place(site: Site) -> None:
    lines = site.lines()
    enrol, test, _ = lines[2].split()
    message = (
        r"does not hold each trial of the locked test trials of voices exactly once\. "
        rf"1 line of {len(lines)} of the list without a score: line 3 \({enrol} {test}\)"
    )
    refused(site, message, scores=site.text(lines[:2] + lines[3:]))


def test_a_repeated_trial_is_named_with_both_lines(site: Site) -> None:
    lines = site.lines()
    message = rf"1 line of {len(lines) + 1} repeated: line {len(lines) + 1} \(.*\) as line 1"
    refused(site, message, scores=site.text([*lines, lines[0]]))


def test_an_unknown_trial_is_named(site: Site) -> None:
    lines = [*site.lines(), "nobody s00-u0 0.5"]
    refused(site, r"of no trial in the list: line \d+ \(nobody s00-u0\)", scores=site.text(lines))


def test_swapped_columns_are_told(site: Site) -> None:
    swapped = [" ".join((test, enrol, s)) for enrol, test, s in map(str.split, site.lines())]
    refused(site, "with enrol and test swapped: swap the columns", scores=site.text(swapped))


@pytest.mark.parametrize("score", ["nan", "inf", "-inf", "1e999", "?"])
def test_a_score_that_is_no_finite_number_is_named_with_its_line(site: Site, score: str) -> None:
    lines = site.lines()
    lines[6] = " ".join([*lines[6].split()[:2], score])
    message = rf"1 of {len(lines)} lines cannot be read .*line 7 \(.*\): score .*not a finite"
    refused(site, message, scores=site.text(lines))


def test_a_label_that_contradicts_the_list_is_named(site: Site) -> None:
    table = site.listing.trial_tables["test"].trials
    targets = ["target" if each else "nontarget" for each in table["target"]]
    lines = [f"{line} {label}" for line, label in zip(site.lines(), targets, strict=True)]
    wrong = "nontarget" if targets[4] == "target" else "target"
    lines[4] = f"{site.lines()[4]} {wrong}"
    refused(site, r"1 line of \d+ have another label than .*line 5 ", scores=site.text(lines))


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_far_longer_than_its_list_is_not_read(site: Site, packed: bool) -> None:
    content = b"a b 1.0\n" * (2 * len(site.lines()) + 1_001)
    path = site.folder / "long"
    path.write_bytes(gzip.compress(content) if packed else content)
    refused(site, rf"more than [\d,]+ lines or .* has {len(site.lines())} trials", scores=path)


def test_a_line_without_an_end_is_not_read(site: Site) -> None:
    path = site.folder / "long.gz"
    path.write_bytes(gzip.compress(b"0" * 5_000_000))
    refused(site, r"bytes of text, and the list has", scores=path)


def test_an_absent_and_a_broken_file_are_refused(site: Site) -> None:
    refused(site, r"none\.txt: no such file", scores=site.folder / "none.txt")
    path = site.folder / "cut.gz"
    path.write_bytes(gzip.compress("\n".join(site.lines()).encode())[:-9])
    refused(site, r"cut\.gz: broken gzip file", scores=path)


def test_scores_of_other_trials_are_no_validation_scores(site: Site) -> None:
    refused(
        site,
        "each trial of the locked validation trials of voices exactly once",
        scores=site.text(site.lines()),
        validation_scores=site.text(site.lines(), "validation.txt"),
    )


def changed(arrays: dict[str, Any], row: int, value: float) -> dict[str, Any]:
    embeddings = arrays["embeddings"].copy()
    embeddings[row] = value
    return {**arrays, "embeddings": embeddings}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, r"embeddings: NaN or infinity in 1 of 20 rows: 's\d\d-u\d'"),
        (np.inf, r"embeddings: NaN or infinity in 1 of 20 rows"),
        (0.0, r"embeddings: zeros alone in 1 of 20 rows: 's\d\d-u\d'"),
    ],
)
def test_an_unusable_embedding_is_named(site: Site, value: float, message: str) -> None:
    arrays = changed(site.embeddings("test"), 5, value)
    refused(site, message, embeddings=site.npz(arrays))


def test_items_must_be_there_once_and_all_of_a_split(site: Site) -> None:
    test, rest = site.embeddings("test"), site.embeddings("validation")
    without = {name: array[1:] for name, array in test.items()}
    message = rf"1 of 20 test items are not there: '{test['ids'][0]}'; give all"
    refused(site, message, embeddings=site.npz(without))
    twice = {name: np.concatenate([array, array[:1]]) for name, array in test.items()}
    refused(site, r"1 id more than once", embeddings=site.npz(twice))
    part = {name: np.concatenate([test[name], rest[name][:5]]) for name in test}
    refused(site, r"7 of 12 validation items are not there", embeddings=site.npz(part))
    refused(site, "holds no test item", embeddings=site.npz(rest))
    strange = {**test, "ids": np.array(["nobody", *test["ids"][1:]])}
    refused(site, "1 id of no item of voices/quick: 'nobody'", embeddings=site.npz(strange))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"ids": ["a"]}, "holds ids; an .npz file with `ids`"),
        ({"ids": ["a"], "weights": [1.0]}, "holds the array 'weights'; it may hold ids, embed"),
        ({"ids": [1], "embeddings": [[1.0]]}, r"ids: int64 of shape \(1,\); give names"),
        ({"ids": [["a"]], "embeddings": [[1.0]]}, r"ids: <U1 of shape \(1, 1\); give names"),
        ({"ids": np.array(["a"], object), "embeddings": [[1.0]]}, "Python objects, which are nev"),
    ],
)
def test_arrays_of_another_kind_are_refused(
    site: Site, arrays: dict[str, Any], message: str
) -> None:
    refused(site, message, embeddings=site.npz(arrays))


def test_there_is_a_row_of_numbers_for_each_name(site: Site) -> None:
    arrays = site.embeddings("test")
    few = {**arrays, "embeddings": arrays["embeddings"][1:]}
    refused(
        site, r"float32 of shape \(19, 6\); give numbers, \[20, size\]", embeddings=site.npz(few)
    )
    words = {**arrays, "embeddings": arrays["embeddings"].astype(str)}
    refused(site, "give numbers", embeddings=site.npz(words))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rows: np.ones((rows, 3), complex), "complex128 of shape"),
        (lambda rows: np.ones((rows, 3), bool), "bool of shape"),
        (lambda rows: np.ones((rows, 3), "M8[s]"), "datetime64"),
        (lambda rows: np.ones((rows, 2, 2)), r"shape \(20, 2, 2\); give numbers"),
        (np.ones, r"shape \(20,\); give numbers"),
        (lambda rows: np.ones((rows, 0)), r"shape \(20, 0\); give numbers"),
        (lambda rows: np.array([[1.0] * (1 + row % 2) for row in range(rows)] + [[]], object),
         "Python objects, which are never read"),
    ],
)  # fmt: skip
def test_embeddings_are_a_table_of_real_numbers(site: Site, make: Any, message: str) -> None:
    arrays = site.embeddings("test")
    arrays["embeddings"] = make(len(arrays["ids"]))
    refused(site, message, embeddings=site.npz(arrays))


@pytest.mark.parametrize("letter", [0xD800, 0x110000, 0xFFFFFFFF])
def test_names_are_unicode_text(site: Site, letter: int) -> None:
    arrays = site.embeddings("test")
    letters = np.ascontiguousarray(arrays["ids"]).view(np.uint32).copy()
    letters[1] = letter
    arrays["ids"] = letters.view(arrays["ids"].dtype)
    refused(site, "ids: names are not Unicode text", embeddings=site.npz(arrays))


@pytest.mark.parametrize("kind", ["S", ">U"])
def test_names_may_be_bytes_or_of_another_processor(site: Site, kind: str) -> None:
    arrays = site.embeddings("test")
    wanted = site.submit(embeddings=site.npz(arrays), check=True).record
    arrays["ids"] = arrays["ids"].astype(f"{kind}{40}")
    assert site.submit(embeddings=site.npz(arrays), check=True).record.metrics == wanted.metrics


def test_nothing_of_a_pickle_is_run(site: Site) -> None:
    class Touch:
        def __reduce__(self) -> Any:
            return Path.touch, (site.folder / "touched",)

    plain = site.folder / "plain.npz"
    plain.write_bytes(pickle.dumps(Touch()))
    refused(site, "not an .npz file that can be read", embeddings=plain)
    inside = site.npz({"ids": np.array([Touch()], dtype=object), "embeddings": [[1.0]]})
    refused(site, "Python objects, which are never read", embeddings=inside)
    assert not (site.folder / "touched").exists()


def test_an_array_that_says_it_is_larger_than_its_bytes_is_refused(site: Site) -> None:
    path = site.folder / "claims.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("ids", "embeddings"):
            header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
            length = len(header).to_bytes(2, "little")
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + length + header)
    refused(site, "is cut off", embeddings=path)


def test_more_bytes_than_the_lists_can_need_are_not_read(site: Site) -> None:
    path = site.folder / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embeddings.npy", bytes(30_000_000))
    refused(site, "30,000,000 bytes of arrays, and at most", embeddings=path)


def test_classes_want_a_file_of_arrays(words: Site) -> None:
    refused(words, "this suite judges decisions; give an .npz file", scores=words.text(["a b 1"]))
    refused(words, "not embeddings; give --scores", embeddings=words.npz({"ids": ["a"]}))
    items = words.listing.split_items("test")["id"].to_numpy(str)
    few = {"ids": items, "logits": np.ones((len(items), 3))}
    refused(words, "logits: 3 columns, want 4: 'w0'; 'w1'; 'w2'; and 1 more", scores=words.npz(few))
    other = {"ids": items, "logits": np.ones((len(items), 4)), "classes": ["w0", "w1", "w2", "x"]}
    refused(words, "not the labels that train, as 'w3' shows", scores=words.npz(other))
    endless = {"ids": items, "logits": np.full((len(items), 4), -np.inf)}
    refused(words, "NaN or infinity in 20 of 20 rows", scores=words.npz(endless))
    both = {"ids": items, "logits": np.ones((len(items), 4)), "scores": np.ones((len(items), 4))}
    refused(words, "holds ids, logits, scores; give an .npz", scores=words.npz(both))


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (("eer",), "write METRIC=VALUE"),
        (("eeer=0.1",), "no metric 'eeer'; did you mean 'eer'"),
        (("eer=much",), "'much' is not a number"),
        (("eer=1.23",), "1.23 is out of range; rates are fractions: write 0.0123, or 1.23%"),
        (("eer=nan",), "out of range"),
        (("eer=-0.1",), "out of range"),
        (("eer=101%",), "out of range"),
        (("eer=0.1", "min_dcf=1.2"), "want 0 to 1"),
        (("eer=0.1", "min_dcf=20%"), "is not a number"),
        (("eer=0.1", "eer=0.2"), "eer is claimed twice"),
        (("min_dcf=0.2",), "sorted by eer; claim it too"),
    ],
)
def test_a_claim_names_a_metric_and_a_value_of_it(
    site: Site, claims: tuple[str, ...], message: str
) -> None:
    refused(site, message, claims=claims, source="a paper")
