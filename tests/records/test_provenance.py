"""Which code ran: the commit, and whether files differed from it."""

import os
import subprocess

import pytest

from harness import __version__
from harness.records.files import keep_from_git
from harness.records.provenance import code_version, dirty_files


def git(folder, *arguments):
    identity = {
        f"GIT_{who}_{what}": "t@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("one = 1\n")
    (tmp_path / ".gitignore").write_text("runs/\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_a_clean_tree_is_its_commit(checkout):
    assert code_version(checkout) == git(checkout, "rev-parse", "HEAD")
    assert dirty_files(checkout) == []


@pytest.mark.parametrize("name", ["code.py", "new.py", "in/a/folder.py", "näme with spaces.py"])
def test_a_changed_or_new_file_makes_it_dirty(checkout, name):
    clean = code_version(checkout)
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("two = 2\n")
    assert code_version(checkout) == f"{clean}+dirty"
    assert dirty_files(checkout) == [name]


def test_a_renamed_file_is_two(checkout):
    (checkout / "leaderboards").mkdir()
    git(checkout, "mv", "code.py", "leaderboards/code.py")
    assert dirty_files(checkout) == ["code.py"]


@pytest.mark.parametrize("name", ["leaderboards/speaker.md", "leaderboards/é.md", "runs/x.json"])
def test_what_publishing_writes_and_what_git_ignores_do_not_count(checkout, name):
    (checkout / name).parent.mkdir()
    (checkout / name).write_text("table\n")
    assert dirty_files(checkout) == []
    assert not code_version(checkout).endswith("+dirty")


def test_outside_git_it_is_the_release(tmp_path):
    assert code_version(tmp_path) == f"release {__version__}"


def test_a_repository_without_a_commit_is_the_release(tmp_path):
    git(tmp_path, "init", "--quiet")
    assert code_version(tmp_path) == f"release {__version__}"


def test_a_folder_of_outputs_does_not_make_it_dirty(checkout):
    outputs = checkout / "my runs"
    keep_from_git(outputs)
    (outputs / "record.json").write_text("{}")
    keep_from_git(outputs)
    assert dirty_files(checkout) == []
    assert code_version(checkout) == code_version(checkout).removesuffix("+dirty")
