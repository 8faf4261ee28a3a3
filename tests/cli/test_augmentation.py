"""A run with changed sound, made by one thread or by workers: one key, one set of weights."""

import shutil

import pytest

from tests.tiny import FIRST, make_tiny, metrics_of

AUGMENT = """
augment = { speeds = [0.9, 1.0, 1.1], probability = 0.6, noise = {}, reverb = {}, time_mask = 3 }
validations = 2
"""
ONE = (*FIRST[:5], "--seeds", "0", "--device", "cpu", "--json")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    made = make_tiny(tmp_path_factory.mktemp("augmented") / "own")
    made.edit("validations = 2\n", AUGMENT)
    return made


@pytest.mark.long
def test_workers_change_nothing_but_the_waiting(tiny):
    done = tiny.run(*ONE)
    assert done.status == 0, done.err
    first = tiny.record("tiny")
    assert set(first["stages"]["train"]["inputs"]["disturbances"]) == {"noise", "reverb"}
    assert 0 <= first["resources"]["data_wait"] < 1

    again = tiny.run(*ONE)
    assert again.json["ran"] == 0, "what is drawn from is known by now, and it is the same"

    for name in ("stages", "own-quick"):
        shutil.rmtree(tiny.runs / name)
    workers = tiny.run(*ONE, "--data-workers", "2")
    assert workers.status == 0, workers.err
    second = tiny.record("tiny")
    assert second["stages"]["train"]["key"] == first["stages"]["train"]["key"]
    assert second["artefacts"]["checkpoint"] == first["artefacts"]["checkpoint"]
    assert metrics_of(second) == metrics_of(first)


@pytest.mark.long
def test_noises_that_changed_train_again(tiny):
    folder = tiny.folder / "sounds"
    folder.mkdir()
    for number, utterance in enumerate(sorted((tiny.folder / "voices").glob("*.flac"))[:2]):
        shutil.copy(utterance, folder / f"{number}.flac")
    words = (*ONE, "--set", 'augment.noise.source="sounds"')
    assert tiny.run(*words).status == 0
    before = tiny.run("plan", *words[1:])
    assert {job["stages"]["train"]["state"] for job in before.json["jobs"]} == {"none", "cached"}
    shutil.copy(folder / "0.flac", folder / "1.flac")
    after = tiny.run(*words)
    assert after.json["ran"] == 1
    assert tiny.run(*words).json["ran"] == 0


def test_a_noise_folder_that_is_absent(tiny):
    done = tiny.run(*ONE, "--set", 'augment.noise.source="no/musan"')
    assert done.status == 2
    assert "no/musan is not on this machine" in done.err
    assert "openslr.org/17" in done.err
