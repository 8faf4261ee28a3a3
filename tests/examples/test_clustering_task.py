"""The example of a task of one's own, through the command line: the harness knows nothing of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from harness.cli.submit import submit as submit_command
from harness.errors import RequestError
from harness.metrics.clustering import normalised_mutual_information
from tests.places import EXAMPLES
from tests.tiny import TinyBenchmark, make_tiny

EXAMPLE = EXAMPLES / "clustering_task.py"
SECTION = EXAMPLE.with_name("clustering_section.py")
SUITE = ("--suite", "clusters")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    """A benchmark with the task beside its file, and a suite as the example's docstring has it."""
    made = make_tiny(tmp_path_factory.mktemp("clusters") / "own")
    shutil.copy(EXAMPLE, made.folder)
    shutil.copy(SECTION, made.folder)
    text = EXAMPLE.read_text()
    table = text[text.index("    [suites.clusters]") : text.index("\n\n`harness plan`")]
    with made.config.open("a") as file:
        file.write("\n" + "\n".join(line.strip() for line in table.splitlines()) + "\n")
    return made


@pytest.fixture(scope="module")
def ran(tiny: TinyBenchmark) -> dict[str, Any]:
    """The JSON of `harness run`: the baseline and one network of one layer."""
    done = tiny.run("run", *SUITE, "--seeds", "0", "--device", "cpu", "--json")
    assert done.status == 0, done.err
    return dict(done.json)


def test_it_is_planned(tiny: TinyBenchmark, ran: dict[str, Any]) -> None:
    planned = tiny.run("plan", *SUITE, "--seeds", "0", "--device", "cpu", "--json")
    assert planned.status == 0, planned.err
    baseline, _ = planned.json["jobs"]
    assert (baseline["model"], baseline["stages"]["evaluate"]["state"]) == (
        "clusters of MFCC statistics", "cached",
    )  # fmt: skip


@pytest.fixture(scope="module")
def items(tiny: TinyBenchmark, ran: dict[str, Any]) -> dict[str, str]:
    """Label of every test item, in the order of the lists that `harness submit --lists` writes."""
    assert ran
    done = submit(tiny, "--lists", str(tiny.folder / "lists"))
    assert done.exit_code == 0, done.output
    lines = (tiny.folder / "lists" / "items.tsv").read_text().splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {name: label for name, split, _, label, _ in rows if split == "test"}


def submit(tiny: TinyBenchmark, *words: str) -> Result:
    app = typer.Typer()
    app.command()(submit_command)
    return CliRunner().invoke(app, tiny.arguments(*words, *SUITE, "--dataset", "voices"))


def records(tiny: TinyBenchmark) -> dict[str, Path]:
    paths = tiny.runs.glob("clusters-quick/voices/*/*/record.json")
    return {json.loads(path.read_text())["model"]["name"]: path for path in paths}


def test_it_is_run_and_tabled(
    tiny: TinyBenchmark, ran: dict[str, Any], items: dict[str, str]
) -> None:
    (table,) = ran["tables"]
    rows = {row["model"]: row["metrics"]["nmi"]["value"] for row in table["rows"]}
    assert rows.keys() == {"clusters of MFCC statistics", "tiny"}
    assert all(0 <= value <= 1 for value in rows.values())
    assert "NMI" in (tiny.runs / "clusters-quick.md").read_text()
    for model, path in records(tiny).items():
        with np.load(path.with_name("scores.npz")) as arrays:
            found = normalised_mutual_information(list(items.values()), arrays["clusters"])
        assert found == pytest.approx(rows[model], abs=1e-5)


def test_it_is_submitted_to_and_verified(tiny: TinyBenchmark, items: dict[str, str]) -> None:
    labels = sorted(set(items.values()))
    values = np.eye(len(labels))[[labels.index(label) for label in items.values()]]
    file = tiny.folder / "given.npz"
    np.savez(file, ids=np.array(list(items), dtype=str), embeddings=values)
    done = submit(tiny, "--name", "theirs", "--embeddings", str(file), "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(Path(json.loads(done.stdout)["record"]).read_text())
    assert (record["metrics"]["nmi"]["value"], record["trust"]) == (1.0, "rescored")
    assert not any("threshold" in note for note in record["notes"])
    verified = tiny.run("verify", *map(str, records(tiny).values()), "--json")
    assert verified.status == 0, verified.err
    assert [each["answer"] for each in verified.json["records"]] == ["verified"] * 3


def test_its_report_has_a_section_of_its_own(tiny: TinyBenchmark, items: dict[str, str]) -> None:
    place = tiny.folder / "report.html"
    done = tiny.run("report", str(records(tiny)["tiny"]), "--lang", "zh", "-o", str(place))
    assert done.status == 0, done.err
    (own,) = re.findall(
        r'<section class="part" id="clusters".*?</section>', place.read_text(), re.S
    )
    assert "聚类" in own
    sizes = [int(size) for size in re.findall(r'<td class="n[^"]*">(\d+)</td>', own)]
    assert sum(sizes) == len(items)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--claim", "nmi=1.2", "--source", "a paper"), "1.2 is out of range; want 0 to 1"),
        (("--scores", "given.npz"), "reads no files of scores; give --embeddings"),
    ],
)
def test_other_values_and_files_are_refused(
    tiny: TinyBenchmark, items: dict[str, str], words: tuple[str, ...], message: str
) -> None:
    file = tiny.folder / "given.npz"
    np.savez(file, ids=np.array(list(items), dtype=str))
    given = [str(file) if word == file.name else word for word in words]
    done = submit(tiny, "--name", "other", *given)
    assert isinstance(done.exception, RequestError)
    assert message in str(done.exception)
