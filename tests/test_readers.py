"""Whatever damage a file has that somebody hands over: it is read, or refused in our words."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from harness.board.record_store import families, load
from harness.board.writing.references import references
from harness.config.datasets import Dataset
from harness.config.loader import load as load_benchmark
from harness.data.corpora.cnceleb import CnCeleb
from harness.data.corpora.kaldi import KaldiFolder
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpora.voxceleb import VoxCeleb
from harness.datasets.frozen_list import read_frozen
from harness.datasets.listing import Listing
from harness.datasets.lock import read_lock
from harness.datasets.preparing import unpack
from harness.records.attestation import (
    Attestation,
    read_attestation,
    write_attestation,
    wrong_attestation,
)
from harness.records.details_schema import read_details
from harness.records.documents import sha256_file
from harness.records.record_files import read_record
from harness.registry.history.line_chain import add, read_history
from harness.registry.history.night_page import check_history
from harness.registry.submit.outputs import class_scores, embedding_scores
from harness.run.job.results import load_scores
from harness.series.reading import read_series
from harness.series.series_file import SeriesWriter, published_bytes
from harness.tasks.trial_scores import read_trial_scores
from harness.tasks.verification import Verification
from harness.trials.index import TrialTable
from harness.trials.score_file import read_scores
from harness.trials.trial_list import read_trials
from harness.trials.trial_speakers import speakers_of
from tests.fuzzing import check_reader
from tests.places import ROOT
from tests.series import logs

DIGITS = ROOT / "leaderboards" / "records" / "image" / "quick" / "digits"
SPEAKERS = ("ann", "bob", "cat", "dan")
ITEMS = [f"{speaker}-{number}" for speaker in SPEAKERS for number in range(3)]
PAIRS = [(one, other, one[:3] == other[:3]) for one in ITEMS for other in ITEMS if one < other]

Reading = tuple[Path, Callable[[], object]]
"""A file, and what reads it."""

READERS: dict[str, Callable[[Path], Reading]] = {}


def reader(name: str) -> Callable[[Callable[[Path], Reading]], Callable[[Path], Reading]]:
    def named(make: Callable[[Path], Reading]) -> Callable[[Path], Reading]:
        READERS[name] = make
        return make

    return named


def put(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def trial_lines() -> list[str]:
    return [f"{one} {other} {int(same)}" for one, other, same in PAIRS]


def score_lines() -> list[str]:
    scores = np.random.default_rng(0).normal(size=len(PAIRS))
    return [
        f"{one} {other} {value + 2 * same:.4f}"
        for (one, other, same), value in zip(PAIRS, scores.tolist(), strict=True)
    ]


@reader("trial list")
def _(folder: Path) -> Reading:
    path = put(folder / "trials", *trial_lines())
    return path, lambda: speakers_of(read_trials(path))


@reader("log of WeSpeaker")
def _(folder: Path) -> Reading:
    path = logs.put(folder / "train.log", logs.WESPEAKER)
    return path, lambda: read_series(path)


@reader("log of 3D-Speaker")
def _(folder: Path) -> Reading:
    path = logs.put(folder / "train.log", logs.THREED)
    return path, lambda: read_series(path)


@reader("series in CSV")
def _(folder: Path) -> Reading:
    path = logs.put(folder / "log.csv", logs.CSV)
    return path, lambda: read_series(path)[0].frame("epoch")


@reader("series in JSONL")
def _(folder: Path) -> Reading:
    path = logs.put(folder / "log.jsonl", logs.JSONL)
    return path, lambda: read_series(path)[0].frame("step")


def own_series(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    writer = SeriesWriter(folder, {"entry": "a"}, 0, float)
    for step in (1, 2, 3):
        writer.add(step, 0.5 * step, {"Train/Loss": 1 / step})
        writer.add_vector(step, "Train/density", [1.0, 2.0], [0.0, 0.5, 1.0], ["a", "b"])
    writer.mark("chosen", 2, "best")
    writer.save_point(3)
    return folder / "series.jsonl"


@reader("series of a training")
def _(folder: Path) -> Reading:
    path = own_series(folder)
    return path, lambda: read_series(path)


@reader("series of a training, published")
def _(folder: Path) -> Reading:
    path = folder / "series.jsonl.gz"
    path.write_bytes(published_bytes(own_series(folder / "own")))
    return path, lambda: read_series(path)


@reader("series of TensorBoard's events")
def _(folder: Path) -> Reading:
    writer = EventFileWriter(str(folder))
    for step in (1, 2, 3):
        summary = Summary(value=[Summary.Value(tag="Train/Loss", simple_value=1 / step)])
        writer.add_event(Event(step=step, wall_time=1000.0 + step, summary=summary))
    writer.close()
    (path,) = folder.iterdir()
    return path, lambda: read_series(path)


@reader("trial list, packed")
def _(folder: Path) -> Reading:
    path = folder / "trials.gz"
    path.write_bytes(gzip.compress("\n".join(trial_lines()).encode(), mtime=0))
    return path, lambda: read_trials(path)


@reader("score file")
def _(folder: Path) -> Reading:
    trials = read_trials(put(folder / "trials", *trial_lines()))
    path = put(folder / "scores", *score_lines())
    return path, lambda: read_scores(path, trials)


@reader("score file with labels")
def _(folder: Path) -> Reading:
    pairs = zip(score_lines(), PAIRS, strict=True)
    path = put(
        folder / "scores.csv", *(f"{line} {int(p[2])}".replace(" ", ",") for line, p in pairs)
    )
    return path, lambda: read_scores(path)


@reader("NIST key")
def _(folder: Path) -> Reading:
    rows = (f"{a}\t{b}\ta\t{'target' if same else 'nontarget'}\t3" for a, b, same in PAIRS)
    path = put(folder / "key.tsv", "modelid\tsegmentid\tside\ttargettype\tnum", *rows)
    return path, lambda: read_trials(path)


@reader("NIST scores")
def _(folder: Path) -> Reading:
    trials = read_trials(put(folder / "trials", *trial_lines()))
    rows = (line.replace(" ", "\t").replace("\t", "\ta\t") for line in score_lines())
    path = put(folder / "scores.tsv", "modelid\tside\tsegmentid\tside2\tLLR", *rows)
    return path, lambda: read_scores(path, trials)


@reader("quoted scores")
def _(folder: Path) -> Reading:
    trials = read_trials(put(folder / "trials", *trial_lines()))
    rows = ('"' + line.replace(" ", '";"') + '"' for line in score_lines())
    path = put(folder / "scores.csv", *rows)
    return path, lambda: read_scores(path, trials)


@reader("utt2spk of trials")
def _(folder: Path) -> Reading:
    trials = read_trials(put(folder / "trials", *trial_lines()))
    path = put(folder / "utt2spk", *(f"{item} {item[:3]}" for item in ITEMS))
    return path, lambda: speakers_of(trials, path)


def listing(folder: Path) -> Listing:
    units = [item[:3] for item in ITEMS]
    items = pd.DataFrame(
        {"id": ITEMS, "unit": units, "label": units, "seconds": 1.0, "source": "", "line": 0}
    )
    parts = []
    for split in ("test", "validation", "train"):
        names = {"id": items["id"] + f"-{split}", "unit": items["unit"] + split}
        parts.append(items.assign(split=split, **names))
    table = pd.DataFrame(PAIRS, columns=["enrol", "test", "target"]).assign(kind="")
    tables = {
        split: TrialTable(
            table.assign(enrol=table["enrol"] + f"-{split}", test=table["test"] + f"-{split}"), None
        )
        for split in ("test", "validation")
    }
    config = Dataset.model_validate(
        {
            "adapter": "harness.data.corpora.speech_manifest:SpeechManifest",
            "licence": "CC0-1.0",
            "path": "x",
        }
    )
    return Listing(
        "d", "quick", config, SpeechManifest(), folder, pd.concat(parts, ignore_index=True), tables
    )


@reader("submitted scores")
def _(folder: Path) -> Reading:
    held = listing(folder)
    lines = [line.split() for line in score_lines()]
    path = put(folder / "scores", *(f"{a}-test {b}-test {s}" for a, b, s in lines))
    return path, lambda: read_trial_scores(path, held, "test")


@reader("submitted embeddings")
def _(folder: Path) -> Reading:
    held, path = listing(folder), folder / "given.npz"
    values = np.random.default_rng(0).normal(size=(len(held.items), 4)).astype(np.float32)
    np.savez(path, ids=held.items["id"].to_numpy(str), embeddings=values)
    task = Verification(resamples=3)

    def read() -> object:
        return task.judge(task.lists(held, "test"), embedding_scores(path, held, task))

    return path, read


@reader("submitted class scores")
def _(folder: Path) -> Reading:
    held, path = listing(folder), folder / "given.npz"
    ids = held.split_items("test")["id"].to_numpy(str)
    logits = np.random.default_rng(0).normal(size=(len(ids), len(held.classes)))
    np.savez(path, ids=ids, logits=logits, classes=np.array(held.classes, dtype=str))
    return path, lambda: class_scores(path, held)


BENCHMARK = """
[datasets.d]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
licence = "CC0-1.0"
path = "d"
split = { seed = 0, validation = 3, test = 5 }
trials = 200

[models.ecapa]
adapter = "adapters.speechbrain:EcapaTdnn"
channels = 64

[losses.aam]
adapter = "adapters.losses:AamSoftmax"
margin = 0.2

[recipes.r]
batch = 8
crop_seconds = 0.5
steps = 12
optimizer = { name = "adamw", lr = 1e-2 }
schedules.margin = { shape = "linear", start = 0.2, end = 0.6 }

[suites.s]
title = "S"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["d"]
models = ["ecapa"]
losses = ["aam"]
overrides = [{ model = "ecapa", set = { batch = 4 } }]
profiles.quick = { recipe = "r" }
"""


@reader("benchmark.toml")
def _(folder: Path) -> Reading:
    path = put(folder / "benchmark.toml", BENCHMARK)
    return path, lambda: load_benchmark(path)


@reader("benchmark.lock")
def _(folder: Path) -> Reading:
    lines = (ROOT / "benchmark.lock").read_text().splitlines()
    path = put(folder / "benchmark.lock", *lines[:40])
    return path, lambda: read_lock(path)


def manifest(folder: Path, name: str, text: str) -> Reading:
    path = put(folder / name, text)
    corpus = SpeechManifest(file=name)
    return path, lambda: corpus.items("quick", folder)


@reader("manifest, TSV")
def _(folder: Path) -> Reading:
    rows = [f"{item}\t{item[:3]}\t{item}.wav\t1.5\tm" for item in ITEMS]
    return manifest(
        folder, "manifest.tsv", "\n".join(["utt_id\tspeaker\tpath\tduration_s\tgender", *rows])
    )


@reader("manifest, CSV")
def _(folder: Path) -> Reading:
    rows = [f'{item},{item[:3]},"{item}.wav",1.5,m' for item in ITEMS]
    return manifest(
        folder, "manifest.csv", "\n".join(["utt_id,speaker,path,duration_s,gender", *rows])
    )


@reader("manifest, JSON lines")
def _(folder: Path) -> Reading:
    rows = [
        f'{{"utt_id": "{item}", "speaker": "{item[:3]}", "path": "{item}.wav", "duration_s": 1.5}}'
        for item in ITEMS
    ]
    return manifest(folder, "manifest.jsonl", "\n".join(rows))


KALDI = {
    "wav.scp": [f"{item}-r wav/{item}.wav" for item in ITEMS],
    "utt2spk": [f"{item} {item[:3]}" for item in ITEMS],
    "segments": [f"{item} {item}-r 0.5 2.25" for item in ITEMS],
    "spk2gender": [f"{speaker} m" for speaker in SPEAKERS],
    "utt2dur": [f"{item} 1.75" for item in ITEMS],
}


def kaldi(name: str) -> Callable[[Path], Reading]:
    def made(folder: Path) -> Reading:
        for file, lines in KALDI.items():
            put(folder / file, *lines)
        return folder / name, lambda: KaldiFolder().items("quick", folder)

    return made


READERS |= {f"Kaldi {name}": kaldi(name) for name in KALDI}


@reader("corpus's own trial list")
def _(folder: Path) -> Reading:
    path = put(folder / "trials", *trial_lines())
    corpus = KaldiFolder(trial_lists={"test": "trials"})
    return path, lambda: corpus.trials("full", folder, "test")


@reader("enrolment map")
def _(folder: Path) -> Reading:
    path = put(folder / "models", *(f"m{n} {item} {item}x" for n, item in enumerate(ITEMS)))
    corpus = KaldiFolder(enrolment={"test": "models"})
    return path, lambda: corpus.models("full", folder, "test")


@reader("frozen subset")
def _(folder: Path) -> Reading:
    path = put(folder / "frozen.tsv", "id\tsplit", *(f"{item}\ttest" for item in ITEMS))
    return path, lambda: read_frozen(path)


def touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def cnceleb(name: str) -> Callable[[Path], Reading]:
    def made(folder: Path) -> Reading:
        first = folder / "CN-Celeb_flac"
        speakers = [f"id{number:05}" for number in (1, 2, 800, 801)]
        for speaker in speakers:
            touched(*(first / "data" / speaker / f"speech-01-{n:03}.flac" for n in (1, 2, 3)))
            touched(first / "eval" / "test" / f"{speaker}-speech-01-004.flac")
            touched(first / "eval" / "enroll" / f"{speaker}-enroll.flac")
        lists = first / "eval" / "lists"
        put(first / "dev" / "dev.lst", *speakers[:2])
        tested = speakers[2:]
        put(lists / "enroll.lst", *(f"{s}-enroll enroll/{s}-enroll.wav" for s in tested))
        put(
            lists / "enroll.map",
            *(f"{s}-enroll {s}/speech-01-001.wav {s}/speech-01-002.wav" for s in tested),
        )
        put(
            lists / "trials.lst",
            *(
                f"{a}-enroll test/{b}-speech-01-004.wav {int(a == b)}"
                for a in tested
                for b in tested
            ),
        )

        def read() -> object:
            for corpus in (CnCeleb(train="1"), CnCeleb(train="1", enrolment="concatenate")):
                corpus.items("full", folder)
                corpus.trials("full", folder, "test")
                corpus.models("full", folder, "test")
            return None

        return first / name, read

    return made


READERS |= {
    f"CN-Celeb {name}": cnceleb(name)
    for name in (
        "dev/dev.lst",
        "eval/lists/enroll.lst",
        "eval/lists/enroll.map",
        "eval/lists/trials.lst",
    )
}


def voxceleb(name: str) -> Callable[[Path], Reading]:
    def made(folder: Path) -> Reading:
        tested, trained = ("id10270", "id10271"), ("id00012", "id00015")
        for corpus, half, speakers in (
            ("voxceleb1", "test", tested), ("voxceleb2", "dev", trained)
        ):  # fmt: skip
            for speaker in speakers:
                touched(
                    *(
                        folder / corpus / half / "wav" / speaker / "v" / f"0000{n}.wav"
                        for n in (1, 2)
                    )
                )
        put(
            folder / "veri_test2.txt",
            *(f"{int(a == b)} {a}/v/00001.wav {b}/v/00002.wav" for a in tested for b in tested),
        )
        put(
            folder / "vox1_meta.csv",
            "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet",
            *(f"{speaker}\tA\tm\tUSA\ttest" for speaker in tested),
        )
        put(
            folder / "vox2_meta.csv",
            "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set ",
            *(f"{speaker} ,n1 ,m ,dev " for speaker in trained),
        )

        def read() -> object:
            VoxCeleb().items("full", folder)
            return VoxCeleb().trials("full", folder, "test")

        return folder / name, read

    return made


READERS |= {
    f"VoxCeleb {name}": voxceleb(name)
    for name in ("veri_test2.txt", "vox1_meta.csv", "vox2_meta.csv")
}


def published(folder: Path) -> Path:
    """One published record with what lies beside it."""
    place = folder / "records" / "image" / "quick" / "digits"
    shutil.copytree(
        DIGITS, place, ignore=lambda _, names: [n for n in names if "efficientnet-b0" not in n]
    )
    return next(path for path in sorted(place.glob("*.json")) if path.name.count(".") == 1)


@reader("record")
def _(folder: Path) -> Reading:
    path = published(folder)

    def read() -> object:
        families(folder)
        return read_record(path), load(folder, [path])

    return path, read


@reader("details")
def _(folder: Path) -> Reading:
    path = published(folder).with_suffix(".details.json")
    return path, lambda: read_details(path)


@reader("attestation")
def _(folder: Path) -> Reading:
    record = published(folder)
    told = Attestation(
        record=sha256_file(record), metric="accuracy", recorded=0.5, reproduced=0.5, low=0.4,
        high=0.6, rule="interval", told="so", code="0" * 40, finished="2026-11-21T00:00:00+00:00",
    )  # fmt: skip
    path = write_attestation(record, told)
    return path, lambda: (read_attestation(path), wrong_attestation(path, record))


@reader("published scores")
def _(folder: Path) -> Reading:
    path = published(folder).with_suffix(".scores.npz")
    return path, lambda: load_scores(path)


@reader("references.toml")
def _(folder: Path) -> Reading:
    path = folder / "references.toml"
    shutil.copyfile(ROOT / "leaderboards" / "references.toml", path)
    return path, lambda: references(folder)


@reader("history")
def _(folder: Path) -> Reading:
    record = published(folder)
    job = folder / "runs" / "image-quick" / "digits" / "net" / "seed0-1"
    job.mkdir(parents=True)
    shutil.copyfile(record, job / "record.json")
    add(folder / "runs", folder / "tables")
    path = next((folder / "tables").rglob("*.jsonl"))

    def read() -> object:
        check_history(folder / "tables")
        return read_history(folder / "tables")

    return path, read


def archive(name: str, mode: str) -> Callable[[Path], Reading]:
    def made(folder: Path) -> Reading:
        path = folder / name
        content = {f"corpus/{item}.wav": item.encode() * 20 for item in ITEMS}
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
                for member, text in content.items():
                    packed.writestr(member, text)
        else:
            with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
                for member, text in content.items():
                    info = tarfile.TarInfo(member)
                    info.size = len(text)
                    tar.addfile(info, io.BytesIO(text))

        def read() -> object:
            shutil.rmtree(folder / "out", ignore_errors=True)
            return unpack([path], folder / "out")

        return path, read

    return made


READERS |= {
    f"archive {name}": archive(name, mode)
    for name, mode in {
        "a.tar": "w", "a.tar.gz": "w:gz", "a.tar.bz2": "w:bz2", "a.tar.xz": "w:xz", "a.zip": "",
    }.items()
}  # fmt: skip


@reader("Lhotse cuts")
def _(folder: Path) -> Reading:
    lhotse = pytest.importorskip("lhotse", reason="the `lhotse` extra is not installed")
    from harness.data.corpora.lhotse_cuts import LhotseCuts

    cuts = []
    for item in ITEMS:
        source = lhotse.audio.AudioSource("file", [0], f"{item}.wav")
        whole = lhotse.Recording(item, [source], 16000, 48000, 3.0, channel_ids=[0])
        said = lhotse.SupervisionSegment("s", item, 0.0, 3.0, speaker=item[:3])
        cuts.append(lhotse.MonoCut(item, 0.0, 3.0, 0, supervisions=[said], recording=whole))
    lhotse.CutSet.from_cuts(cuts).to_file(folder / "cuts.jsonl.gz")
    return folder / "cuts.jsonl.gz", lambda: LhotseCuts().items("quick", folder)


def huggingface(name: str) -> Callable[[Path], Reading]:
    def made(folder: Path) -> Reading:
        datasets = pytest.importorskip(
            "datasets", reason="the `huggingface` extra is not installed"
        )
        from harness.data.corpora.huggingface import HuggingFaceFolder

        audio = [{"bytes": b"RIFF", "path": f"{item}.wav"} for item in ITEMS]
        rows = {"audio": audio, "speaker_id": [item[:3] for item in ITEMS]}
        saved = datasets.Dataset.from_dict(rows).cast_column("audio", datasets.Audio())
        saved.save_to_disk(str(folder))
        return next(folder.glob(name)), lambda: HuggingFaceFolder().items("quick", folder)

    return made


READERS |= {
    f"Hugging Face {name}": huggingface(name)
    for name in ("state.json", "dataset_info.json", "*.arrow")
}


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    path, read = READERS[name](tmp_path)
    check_reader(path, read, seed=zlib.crc32(name.encode()))
