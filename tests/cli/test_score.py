"""`harness score`: files in, one JSON document or tables out, and requests that are refused."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from harness.cli import main

PEOPLE = ["ann", "bob", "cat", "dan", "eve", "fay"]
ROWS = [
    (f"{one}-{model}", f"{other}/{k}.wav", one == other)
    for one in PEOPLE for model in "mn" for other in PEOPLE for k in "123"
]  # fmt: skip
IS_TARGET = np.array([target for *_, target in ROWS])
GAINS = {"good": 3.0, "poor": 1.0, "fair": 1.3}
SCORES = {
    name: np.random.default_rng(seed).normal(size=len(ROWS)) + gain * IS_TARGET
    for seed, (name, gain) in enumerate(GAINS.items())
}
Score = Callable[..., tuple[int, str, str]]


def put(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def score_lines(name: str) -> list[str]:
    return [f"{e} {t} {s!r}" for (e, t, _), s in zip(ROWS, SCORES[name].tolist(), strict=True)]


def shuffled(lines: list[str]) -> list[str]:
    return random.Random(1).sample(lines, len(lines))


@pytest.fixture
def score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Score:
    """Runs the command beside a list and three systems' scores: exit code, output, messages."""
    put(tmp_path / "trials", [f"{e} {t} {int(target)}" for e, t, target in ROWS])
    for name in SCORES:
        put(tmp_path / f"{name}.txt", score_lines(name))
    monkeypatch.chdir(tmp_path)

    def called(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "score", "--resamples", "50", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return called


GOOD = ["--trials", "trials", "--scores", "good.txt"]


def found(answer: tuple[int, str, str]) -> dict:
    status, out, err = answer
    assert (status, err) == (0, "")
    return json.loads(out)


def test_one_system_gives_one_document(score):
    document = found(score(*GOOD, "--p-target", "0.01", "--p-target", "0.05", "--json"))
    assert document["system"] == "good"
    assert document["trials"] == {"target": 36, "nontarget": 180}
    assert document["interval"]["speakers"] == 6
    assert document["interval"]["resamples"] == 50
    assert document["interval"]["method"] == "95 %, speakers resampled, logit-t"
    scores = SCORES["good"]
    false_alarms, hits, _ = roc_curve(IS_TARGET, scores, drop_intermediate=False)
    rate = float(np.interp(0, false_alarms + hits - 1, false_alarms))
    assert document["eer"]["value"] == pytest.approx(rate, abs=1e-12)
    for estimate in (document["eer"], *document["min_dcf"]):
        assert 0 <= estimate["low"] < estimate["value"] < estimate["high"] <= 1
    for least, actual, prior in zip(
        document["min_dcf"], document["act_dcf"], (0.01, 0.05), strict=True
    ):
        assert (least["p_target"], least["c_miss"], least["c_fa"]) == (prior, 1, 1)
        odds = (1 - prior) / prior
        costs = odds * false_alarms + 1 - hits
        assert least["value"] == pytest.approx(min(costs), abs=1e-12)
        accepted = scores >= np.log(odds)
        cost = odds * accepted[~IS_TARGET].mean() + 1 - accepted[IS_TARGET].mean()
        assert actual["value"] == pytest.approx(cost, abs=1e-12)
    bits = np.log2(1 + np.exp(np.where(IS_TARGET, -scores, scores)))
    cllr = (bits[IS_TARGET].mean() + bits[~IS_TARGET].mean()) / 2
    assert document["cllr"] == pytest.approx(cllr, abs=1e-12)
    assert 0 < document["min_cllr"] < document["cllr"]


def test_several_systems_are_compared_in_pairs(score):
    words = [word for name in SCORES for word in ("--scores", f"{name}.txt")]
    document = found(score("--trials", "trials", *words, "--json"))
    assert [system["system"] for system in document["systems"]] == list(SCORES)
    value = {system["system"]: system["eer"]["value"] for system in document["systems"]}
    rows = [row for row in document["differences"] if row["metric"] == "eer"]
    pairs = [("good", "poor"), ("good", "fair"), ("poor", "fair")]
    assert [(row["first"], row["second"]) for row in rows] == pairs
    for row in rows:
        assert row["value"] == pytest.approx(value[row["first"]] - value[row["second"]])
        assert row["low"] < row["value"] < row["high"]
        assert row["p"] <= row["p_holm"] <= 1
    assert rows[0]["p_holm"] < 0.01 < rows[2]["p_holm"]
    alone = found(score(*GOOD, "--json"))
    assert alone == {"schema": 1, **document["systems"][0]}


def test_a_system_against_its_copy(score):
    put(Path("copy.txt"), shuffled(score_lines("good")))
    document = found(score(*GOOD, "--scores", "copy.txt", "--json"))
    assert [(row["value"], row["p_holm"]) for row in document["differences"]] == [(0, 1), (0, 1)]


def test_the_same_files_give_the_same_bytes_and_another_seed_another_interval(score):
    first = score(*GOOD, "--json")
    assert score(*GOOD, "--json") == first
    other = found(score(*GOOD, "--seed", "4", "--json"))
    assert other["eer"]["low"] != found(first)["eer"]["low"]
    assert other["eer"]["value"] == found(first)["eer"]["value"]


def label_first(line: str) -> str:
    enrol, test, label = line.split()
    return f"{label} {enrol} {test}"


def ragged(line: str) -> str:
    """Parted by commas, a blank before some names: they sort otherwise while it is there."""
    return label_first(line).replace(" ", ",").replace(",fay", ", fay").replace(",dan", ", dan")


LISTS: dict[str, Callable[[list[str]], bytes]] = {
    "shuffled": lambda lines: "\n".join(shuffled(lines)).encode(),
    "gzip": lambda lines: gzip.compress("\n".join(lines).encode()),
    "windows": lambda lines: b"\xef\xbb\xbf" + "\r\n".join(lines).encode(),
    "tabs": lambda lines: "\n".join(lines).replace(" ", "\t").encode(),
    "commas": lambda lines: "\n".join(map(ragged, lines)).encode(),
    "label first": lambda lines: "\n".join(map(label_first, lines)).encode(),
    "words": lambda lines: "\n".join(
        line[:-1] + ("target" if line[-1] == "1" else "nontarget") for line in lines
    ).encode(),
}


@pytest.mark.parametrize("form", LISTS)
def test_a_list_in_any_form_gives_the_same_bytes(score, form):
    wanted = score(*GOOD, "--json")
    Path("other").write_bytes(LISTS[form](Path("trials").read_text().splitlines()))
    assert score("--trials", "other", "--scores", "good.txt", "--json") == wanted


@pytest.mark.parametrize("option", ["--trials", "--scores", "--utt2spk"])
def test_one_file_comes_from_standard_input(score, monkeypatch, option):
    names = sorted({name for row in ROWS for name in row[:2]})
    put(Path("utt2spk"), [f"{name} {name[:3]}" for name in names])
    files = {"--trials": "trials", "--scores": "good.txt", "--utt2spk": "utt2spk"}
    wanted = found(score(*(word for pair in files.items() for word in pair), "--json"))
    for pack in (bytes, gzip.compress):
        content = io.BytesIO(pack(Path(files[option]).read_bytes()))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(content)))
        piped = {**files, option: "-"}
        document = found(score(*(word for pair in piped.items() for word in pair), "--json"))
        system = "standard input" if option == "--scores" else "good"
        assert document == {**wanted, "system": system}


def test_distances_are_told_with_what_they_would_be(score):
    put(
        Path("far.txt"),
        [f"{e} {t} {-s!r}" for (e, t, _), s in zip(ROWS, SCORES["good"].tolist(), strict=True)],
    )
    near, far = (
        found(score("--trials", "trials", "--scores", name, "--json"))
        for name in ("good.txt", "far.txt")
    )
    assert far["eer"]["value"] == pytest.approx(1 - near["eer"]["value"], abs=1e-12)
    (note,) = far["notes"]
    assert "look like distances" in note
    assert f"negate them (EER {100 * near['eer']['value']:.2f} %)" in note
    assert "notes" not in near
    status, out, _ = score("--trials", "trials", "--scores", "far.txt")
    assert (status, "far: these look like distances" in " ".join(out.split())) == (0, True)


@pytest.mark.parametrize("value", ["0.5", "-1e308", "1e-320"])
def test_scores_of_one_value_are_judged_with_a_note(score, value):
    put(Path("flat.txt"), [f"{e} {t} {value}" for e, t, _ in ROWS])
    document = found(score("--trials", "trials", "--scores", "flat.txt", "--json"))
    assert document["eer"]["value"] == 0.5
    assert document["notes"] == ["all scores are one value: nobody is told apart"]
    several = found(score(*GOOD, "--scores", "flat.txt", "--json"))
    assert several["systems"][1]["notes"] == document["notes"]


def test_scores_in_any_order_and_with_labels_of_their_own_give_the_same_bytes(score):
    wanted = score(*GOOD, "--json")
    lines = score_lines("good")
    put(Path("good.txt"), shuffled(lines))
    assert score(*GOOD, "--json") == wanted
    labelled = [f"{line} {int(row[2])}" for line, row in zip(lines, ROWS, strict=True)]
    put(Path("good.txt"), shuffled(labelled))
    assert score(*GOOD, "--json") == wanted
    assert score("--scores", "good.txt", "--json") == wanted


def test_speakers_come_from_utt2spk_where_it_is_given(score):
    names = shuffled(sorted({name for row in ROWS for name in row[:2]}))
    put(Path("utt2spk"), [f"{name} {name[:3]}" for name in names])
    told, joined = (
        found(score(*GOOD, *words, "--json")) for words in (["--utt2spk", "utt2spk"], [])
    )
    assert told["interval"].pop("speakers_from") == "utt2spk"
    assert joined["interval"].pop("speakers_from") == "target trials"
    assert told == joined


def test_without_speakers_there_is_no_interval_and_the_reason_is_told(score):
    lines = Path("trials").read_text().splitlines()
    put(Path("trials"), [*lines[:-1], "fay-n fay/3.wav 0"])
    document = found(score(*GOOD, "--scores", "poor.txt", "--json"))
    assert document["differences"] == []
    for system in document["systems"]:
        assert system["eer"]["low"] is system["eer"]["high"] is None
        assert system["interval"]["method"] is None
        assert "1 nontarget trial joins items of one speaker" in system["interval"]["reason"]
    status, out, _ = score(*GOOD)
    assert status == 0
    assert "No interval: 1 nontarget trial joins items" in " ".join(out.split())


def test_costs_go_with_priors(score):
    document = found(
        score(*GOOD, "--p-target", "0.01", "--p-target", "0.05", "--c-miss", "10", "--c-fa", "1",
              "--c-fa", "2", "--json")
    )  # fmt: skip
    points = [(cost["p_target"], cost["c_miss"], cost["c_fa"]) for cost in document["min_dcf"]]
    assert points == [(0.01, 10, 1), (0.05, 10, 2)]


CALIBRATION = ["--calibration-trials", "trials", "--calibration-scores"]


def test_calibrated_and_fused_on_the_same_trials_cllr_falls(score):
    raw = found(score(*GOOD, "--scores", "poor.txt", "--json"))["systems"]
    words = [*CALIBRATION, "good.txt", "--calibration-scores", "poor.txt", "--fuse"]
    # At even odds what is fitted is Cllr itself.
    made = found(score(*GOOD, "--scores", "poor.txt", *words, "--p-target", "0.5", "--json"))
    good, poor, fusion = made["systems"]
    assert fusion["system"] == "fusion"
    assert fusion["cllr"] <= min(good["cllr"], poor["cllr"]) + 1e-9
    for before, after in zip(raw, (good, poor), strict=True):
        assert after["cllr"] < before["cllr"]
        assert after["eer"] == before["eer"]
    assert ["good", "fusion"] in [[row["first"], row["second"]] for row in made["differences"]]


def test_tables_for_people_and_the_plot(score):
    status, out, err = score(*GOOD, "--scores", "poor.txt", "--det", "plots/det.png")
    assert (status, err.strip()) == (0, "DET plot: plots/det.png")
    assert Path("plots/det.png").read_bytes().startswith(b"\x89PNG")
    shown = " ".join(out.split())
    for words in ("system EER %", "good - poor", "36 target and 180 nontarget trials", "Cllr"):
        assert words in shown


def test_a_plot_leaves_the_document_alone_on_standard_output(score):
    status, out, err = score(*GOOD, "--det", "det.svg", "--json")
    assert (status, err.strip()) == (0, "DET plot: det.svg")
    assert json.loads(out) == found(score(*GOOD, "--json"))


REFUSED = [
    (["--trials", "trials"], "--scores"),
    (["--scores", "good.txt"], "good.txt: has no labels"),
    (["--trials", "nowhere", "--scores", "good.txt"], "nowhere: no such file"),
    ([*GOOD, "--scores", "nowhere"], "nowhere: no such file"),
    ([*GOOD, "--scores", "good.txt"], "good.txt: given twice"),
    ([*GOOD, "--scores", "short.txt"], "6 lines of 216 of the list without a score: line 1 (ann-m"),
    ([*GOOD, "--scores", "bad.txt"], "bad.txt: 2 of 216 lines cannot be read as"),
    ([*GOOD, "--scores", "bad.txt"], "line 3 ('ann-m ann/3.wav nan'): score 'nan' is not a finite"),
    ([*GOOD, "--scores", "bad.txt"], "line 8 ('ann-m'): 1 columns, want 3"),
    ([*GOOD, "--utt2spk", "utt2spk"], "no speaker for 11 of 12 enrol names"),
    ([*GOOD, "--p-target", "0"], "p_target is 0.0; give a value between 0 and 1"),
    ([*GOOD, "--p-target", "nan"], "p_target is nan"),
    ([*GOOD, "--p-target", "most"], "Invalid value for '--p-target'"),
    ([*GOOD, "--c-miss=-1"], "c_miss is -1.0 and c_fa 1.0; give positive finite costs"),
    ([*GOOD, "--c-fa", "1", "--c-fa", "2"], "--c-fa is given 2 times and --p-target 1"),
    ([*GOOD, *[w for p in "123" for w in ("--p-target", f".{p}")], "--c-miss", "1", "--c-miss",
      "2"], "--c-miss is given 2 times and --p-target 3; give it once, or once for each prior"),
    ([*GOOD, "--det", "det.gif"], "det.gif: a plot ends in one of .png, .svg, .pdf"),
    ([*GOOD, "--det", "trials/det.png"], "trials: a file is in the way; move it, or choose"),
    ([*GOOD, "--resamples", "1"], "Invalid value for '--resamples'"),
    ([*GOOD, "--calibration-trials", "trials"], "go together; give both"),
    ([*GOOD, "--calibration-scores", "good.txt"], "go together; give both"),
    (["--trials", "-", "--scores", "-"], "standard input can be one; name the others"),
    (["--trials", "good.txt", "--scores", "good.txt"], "it reads as 'enrol test score'"),
    ([*GOOD, "--fuse"], "--fuse learns its weights from other trials"),
    ([*GOOD, *CALIBRATION, "good.txt", "--fuse"], "there is one system"),
    ([*GOOD, "--scores", "poor.txt", *CALIBRATION, "good.txt"], "1 calibration score files for 2"),
    ([*GOOD, *CALIBRATION, "flat.txt"], "flat.txt: no calibration can be fitted to it"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "mend"), REFUSED)
def test_a_wrong_request_is_refused(score, words, mend):
    lines = score_lines("fair")
    put(Path("short.txt"), lines[6:])
    put(Path("flat.txt"), [line.rsplit(" ", 1)[0] + " 0.5" for line in lines])
    lines[2], lines[7] = "ann-m ann/3.wav nan", "ann-m"
    put(Path("bad.txt"), lines)
    put(Path("utt2spk"), ["ann-m ann", *(f"{name} {name[:3]}" for _, name, _ in ROWS[:18])])
    before = set(Path().rglob("*"))
    status, out, err = score(*words, "--json")
    assert status == 2, err
    assert mend in " ".join(err.replace("│", " ").split())
    assert out == ""
    assert set(Path().rglob("*")) == before, "a refused request leaves nothing"
