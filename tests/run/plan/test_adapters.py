"""Adapters' code in workers: whatever it does there, its caller has an answer and goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ConfigError, JobFailed
from harness.run.plan.adapter_workers import AdapterWorkers, WorkerKilled
from harness.run.plan.questions import AskInput, Describe
from tests.hostile import HOSTILE, ON_IMPORT

FINE = {"when": "never", "deed": "nothing"}


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdapterWorkers]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile_models.py").write_text(HOSTILE)
    for name, text in ON_IMPORT.items():
        (folder / f"{name}.py").write_text(text + "\n")
    sys.path.append(str(folder))
    found = AdapterWorkers()
    yield found
    found.close()
    sys.path.remove(str(folder))


def described(workers: AdapterWorkers, adapter: str, **fields: object) -> dict[str, object]:
    return workers.ask(Describe(adapter, fields, "models.x")).fields


def asked(workers: AdapterWorkers, deed: str) -> str:
    fields = {"when": "inputs", "deed": deed}
    return workers.ask(AskInput("hostile_models:Hostile", fields, "models.x")).kind


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("exit", "its process ended with status 0, before it had a result"),
        ("exit 3", "its process ended with status 3"),
        ("sys.exit", "it ended its process by sys.exit('no room')"),
        ("crash", "its process was ended by SIGSEGV"),
        ("raise", "hostile_models.Strange: red"),
        ("garbage", "that are no message"),
        ("close", "Bad file descriptor"),
    ],
)
def test_what_ends_or_confuses_a_worker_is_one_answer(
    workers: AdapterWorkers, deed: str, reason: str
) -> None:
    with pytest.raises(JobFailed) as failed:
        asked(workers, deed)
    assert str(failed.value).startswith("models.x: asking for its inputs: ")
    assert reason in str(failed.value)
    assert str(failed.value).isprintable()
    assert described(workers, "hostile_models:Hostile", **FINE)["size"] == 8


@pytest.mark.parametrize("deed", ["noise", "fork"])
def test_noise_and_processes_left_behind_are_borne(
    workers: AdapterWorkers, deed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert asked(workers, deed) == "audio"
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_was_killed_is_told_from_one_that_ended(workers: AdapterWorkers) -> None:
    with pytest.raises(WorkerKilled, match="SIGKILL"):
        asked(workers, "kill")


def test_a_question_whose_process_somebody_killed_is_asked_once_more(
    workers: AdapterWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "once.py").write_text(
        "import os, signal\n"
        "from pathlib import Path\n"
        "from hostile_models import Hostile\n"
        f"met = Path({str(tmp_path / 'met')!r})\n"
        "if not met.exists():\n"
        "    met.touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert described(workers, "once:Hostile", **FINE)["size"] == 8
    assert (tmp_path / "met").exists()


def test_a_process_left_behind_by_a_crash_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(
        "import os, time\n"
        "if os.fork() == 0:\n"
        f"    open({str(tmp_path / 'left')!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n"
        "    os._exit(0)\n"
        f"while not os.path.exists({str(tmp_path / 'left')!r}):\n"
        "    time.sleep(0.01)\n"
        "os._exit(4)\n"
    )
    sys.path.append(str(tmp_path))
    workers = AdapterWorkers()
    with pytest.raises(JobFailed, match="importing leaving: its process ended with status 4"):
        described(workers, "leaving:Any")
    sys.path.remove(str(tmp_path))
    left = int((tmp_path / "left").read_text() or 0)
    while left and Path(f"/proc/{left}").exists() and _state(left) != "Z":
        time.sleep(0.01)
    workers.close()


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("raises_on_import", "RuntimeError: not on this machine"),
        ("exits_on_import", "sys.exit(0)"),
        ("ends_on_import", "models.x: importing ends_on_import: its process ended with status 0"),
    ],
)
def test_a_module_that_does_not_let_itself_be_imported(
    workers: AdapterWorkers, module: str, reason: str
) -> None:
    with pytest.raises(JobFailed) as failed:
        described(workers, f"{module}:Hostile")
    assert not isinstance(failed.value, ConfigError)
    assert reason in str(failed.value)


def test_a_module_that_prints_while_it_is_imported_is_as_good_as_another(
    workers: AdapterWorkers, capfd: pytest.CaptureFixture[str]
) -> None:
    assert described(workers, "prints_on_import:Hostile", **FINE)["when"] == "never"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("adapter", "fields", "mend"),
    [
        ("hostile_models:Hostil", {}, "did you mean 'Hostile'?"),
        ("hostile_models:Hostile", {"whem": "never"}, "did you mean 'when'?"),
        ("hostile_models:Hostile", {"size": "large"}, "models.x.size: "),
        ("no_such_module:Hostile", {}, "no module named 'no_such_module'"),
    ],
)
def test_a_wrong_table_is_an_error_of_the_benchmark_file(
    workers: AdapterWorkers, adapter: str, fields: dict[str, object], mend: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        described(workers, adapter, **fields)
    assert mend in str(refused.value)


def test_what_is_recalled_is_asked_once(workers: AdapterWorkers, tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(
        "import os\n"
        f"with open({str(tmp_path / 'count')!r}, 'a') as file:\n"
        "    file.write('.')\n"
        "os._exit(0)\n"
    )
    sys.path.append(str(tmp_path))
    own = AdapterWorkers()
    for _ in range(3):
        with pytest.raises(JobFailed, match="status 0"):
            own.recall(Describe("counted:Any", {}, "models.x"))
    own.close()
    sys.path.remove(str(tmp_path))
    assert (tmp_path / "count").read_text() == "."
    assert os.path.exists(tmp_path / "counted.py")
