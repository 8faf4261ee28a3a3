"""`harness data check` of a folder of pictures, from the outside."""

from __future__ import annotations

import json
import sys

import pytest
from PIL import Image

from harness.cli import main
from harness.data.synthesis.characters import draw
from tests.pictures import PICTURE_FOLDERS


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    for place, split in enumerate(("train", "validation", "test")):
        for who in ("aki", "gus"):
            for number in range(2):
                path = tmp_path / "shots" / split / who / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                artist = f"artist{2 * place + number:03d}"
                Image.fromarray(draw(f"{artist}/{who}-0@64")).save(path)
    (tmp_path / "benchmark.toml").write_text(PICTURE_FOLDERS)

    def run(*words: str) -> tuple[int, str, str]:
        where = ("--config", str(tmp_path / "benchmark.toml"), "--runs", str(tmp_path / "runs"))
        monkeypatch.setattr(sys, "argv", ["harness", "data", "check", "shots", *words, *where])
        monkeypatch.setattr("os.cpu_count", lambda: 1)
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def test_scores_and_near_duplicates_are_told(check, tmp_path):
    original = tmp_path / "shots" / "train" / "aki" / "0.png"
    copy = tmp_path / "shots" / "test" / "aki" / "again.png"
    Image.open(original).resize((80, 80)).save(copy)
    status, out, err = check()
    assert status == 0, err
    for score in ("sharpness: median", "contrast: median", "size: median 64"):
        assert score in out
    assert "nearly the same picture in two splits, 1 pairs" in out
    assert "test/aki/again.png (test) = train/aki/0.png (train)" in out
    document = json.loads(check("--json")[1])
    assert document["near_duplicates"][0]["ids"] == ["test/aki/again.png", "train/aki/0.png"]
    assert document["missing_classes"] == {}
    assert len(document["scores"]["sharpness"]["worst"]) == 5


def test_a_list_that_cannot_be_trained_on_ends_the_call_with_its_path(check, tmp_path):
    (tmp_path / "shots" / "train" / "Aki").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "shots" / "train" / "Aki" / "1.png")
    status, _, err = check()
    assert status == 2
    assert "'Aki'" in err
    assert "letter case alone" in err
