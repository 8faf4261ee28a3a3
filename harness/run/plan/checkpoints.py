"""Find a checkpoint made elsewhere, its model, and the overlap of its training data with a test."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark, look_up
from harness.config.tables import Component
from harness.data.item_names import clean_name
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.listing import Listing, list_dataset
from harness.errors import ConfigError, JobFailed, RequestError, quoted
from harness.recipes.foreign_recipe import read_recipe
from harness.run.job.record_writing import FOREIGN_WEIGHTS
from harness.run.plan.adapter_workers import WORKERS, describe
from harness.run.plan.questions import MatchWeights
from harness.run.plan.request import CheckpointEntry

HUB = "hf://"

ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt")
"""Endings of files of weights."""

BESIDE = frozenset(
    {"optimizer", "scaler", "classifier", "counter", "epoch_counter", "label_encoder"}
    | {"lr_annealing", "mean_var_norm", "mean_var_norm_emb", "normalizer", "brain", "init"}
    | {"dataloader-TRAIN", "scheduler", "train_state"}
)
"""Files beside the weights of a network, by their names without ending."""

FIRST = ("avg_model.pt", "best_model/model.pth", "embedding_model.ckpt", "last_model/model.pth")
"""The file of a folder that holds several: WeSpeaker's average, the best one, the network."""

DEEPEST = 4

MADE = "its weights were made elsewhere;"
"""The beginning of notes about the test split and the training data of weights."""


def find_checkpoint(said: str) -> Path:
    """Return the file of weights at a path or an address of the hub.

    Args:
        said: a file; a folder; or `hf://owner/name`, with `/file` if it holds several, and
            `@revision` behind the name if not its newest.

    Raises:
        RequestError: there is none, or there are several.
    """
    if said.startswith(HUB):
        return _from_hub(said)
    try:
        path = Path(said).expanduser().absolute()
        if path.is_dir():
            return path / _pick(_weights_below(path), said)
        is_file = path.is_file()
    except OSError as error:
        raise RequestError(f"{said}: cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # `~name` of nobody
        raise RequestError(f"{said}: {error}") from error
    if is_file:
        return path
    why = "no such checkpoint"
    if path.exists():
        why = "is no regular file; copy it into one"
    elif path.is_symlink():
        why = f"links to {quoted(str(path.readlink()), 300)}, which is not there; fetch that file"
    raise RequestError(f"{said}: {why}")


def model_of(loaded: LoadedBenchmark, path: Path) -> str:
    """Return the benchmark's model of a checkpoint, if its folder says it.

    Raises:
        RequestError: it does not; the models that its weights fit are named.
    """
    described = _folder_model(path)
    if described is not None:
        found = [name for name in loaded.benchmark.models if _is_model(loaded, name, described)]
        if found:
            return found[0]
        table = ", ".join(f"{key} = {quoted(value)}" for key, value in described.items())
        raise RequestError(
            f"{path}: its folder's config.yaml says the model is {{ {table} }}, and no model of "
            "the benchmark is that; add it (`harness recipe config.yaml` prints it), or name one "
            "with --model"
        )
    matches = _matching_models(loaded, path)
    raise RequestError(f"{path}: say with --model of which model it is; {matches}")


def checkpoint_notes(path: Path) -> tuple[str, ...]:
    """Return notes for a checkpoint's row, by the files beside it."""
    if not (path.parent / "hyperparams.yaml").is_file():
        return ()
    return (
        "SpeechBrain trained it on filterbanks of its own (decibels, other filters), which it does "
        "not get here: do not hold this row against published figures",
    )


def check_weights(loaded: LoadedBenchmark, entry: CheckpointEntry) -> None:
    """Compare a checkpoint with its model before anything else is done.

    A model whose code fails passes: its job says so in its row.

    Raises:
        RequestError: it is no checkpoint, or of another network; the models that its weights fit
            are named.
    """
    look_up(loaded.benchmark.models, entry.model, "model")
    try:
        fit = WORKERS.ask(_question(loaded, entry.path, entry.model, exactly=True))
    except JobFailed:
        return
    if fit.why:
        matches = _matching_models(loaded, entry.path)
        raise RequestError(f"{fit.why}; these are no weights of {entry.model!r}: {matches}")


def _weights_below(folder: Path) -> list[str]:
    """Return files of weights below a folder, relative to it; links to one file count once."""
    seen: dict[Path, str] = {}
    for path in sorted(folder.rglob("*"), key=lambda each: (each.is_symlink(), str(each))):
        inside = path.relative_to(folder)
        if _is_weights(path.name) and len(inside.parts) <= DEEPEST and path.is_file():
            seen.setdefault(path.resolve(), inside.as_posix())
    return sorted(seen.values())


def _pick(names: list[str], where: str) -> str:
    """Return the one file of weights among several names.

    Raises:
        RequestError: there is none, or it could be several.
    """
    if len(names) == 1:
        return names[0]
    for wanted in FIRST:
        found = [name for name in names if f"/{name}".endswith(f"/{wanted}")]
        if len(found) == 1:
            return found[0]
    if not names:
        raise RequestError(f"{where}: holds no checkpoint (no file ends in {', '.join(ENDINGS)})")
    shown = (name if name.isprintable() else quoted(name) for name in names[:12])
    listed = ", ".join(shown) + (", ..." if len(names) > 12 else "")
    raise RequestError(f"{where}: holds several checkpoints; name one of {listed}")


def _from_hub(said: str) -> Path:
    """Download a file of the hub; one that is here already is used again."""
    try:
        from huggingface_hub import HfApi, get_session, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ModuleNotFoundError as error:
        raise RequestError(
            f"{said}: reading the hub needs huggingface_hub; install it, or give a file"
        ) from error
    parts = said.removeprefix(HUB).split("/", 2)
    if len(parts) < 2 or not all(parts[:2]):
        raise RequestError(f"{said}: write {HUB}owner/name, or {HUB}owner/name/file")
    name, _, version = parts[1].partition("@")
    place, revision = f"{parts[0]}/{name}", version or None
    file = parts[2] if len(parts) == 3 else ""
    # Which library it speaks HTTP with differs by its version, and so do a lost line's errors.
    client = import_module(type(get_session()).__module__.partition(".")[0])
    try:
        if not file:
            held = HfApi().list_repo_files(place, revision=revision)
            file = _pick([each for each in held if _is_weights(each)], said)
        return Path(hf_hub_download(place, file, revision=revision)).absolute()
    except (HfHubHTTPError, HFValidationError, client.HTTPError, OSError) as error:
        why = quoted(str(error).partition("\n")[0], 300)
        raise RequestError(f"{said}: cannot be had from the hub ({why})") from error


def _is_weights(name: str) -> bool:
    path = Path(name)
    return path.suffix in ENDINGS and path.stem not in BESIDE


def _folder_model(path: Path) -> dict[str, Any] | None:
    """Return the model's table by the config.yaml that WeSpeaker leaves where it trained."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "config.yaml").is_file():
            try:
                return read_recipe(folder / "config.yaml").model
            except ConfigError:
                return None
    return None


def _is_model(loaded: LoadedBenchmark, name: str, described: dict[str, Any]) -> bool:
    """Return whether a table describes a model of the benchmark."""
    table = loaded.benchmark.models[name]
    if table.adapter != described["adapter"]:
        return False
    try:
        wanted = describe(Component(**described), "config.yaml: model")
        return wanted == describe(table, f"models.{name}")
    except JobFailed:
        return False


def _question(loaded: LoadedBenchmark, path: Path, name: str, *, exactly: bool) -> MatchWeights:
    table, where = loaded.benchmark.models[name], loaded.where("models", name)
    return MatchWeights(table.adapter, table.fields, where, path, exactly)


def _matching_models(loaded: LoadedBenchmark, path: Path) -> str:
    """Name the models of the benchmark that have a place for each weight, by names and shapes.

    Raises:
        RequestError: the file is no checkpoint.
    """
    found = []
    for name in loaded.benchmark.models:
        # A model that cannot be made here, or whose code fails, matches nothing.
        with suppress(ConfigError, JobFailed):
            if not WORKERS.ask(_question(loaded, path, name, exactly=False)).why:
                found.append(name)
    if not found:
        return "no model of the benchmark has these names and shapes"
    return f"{', '.join(found)} of the benchmark {'has' if len(found) == 1 else 'have'} them"


def disjoint_datasets(
    loaded: LoadedBenchmark, names: Iterable[str], tested: Listing
) -> tuple[str, ...]:
    """Return the training datasets of a checkpoint that share no unit with a test split.

    Only datasets of the benchmark that are here can be compared, and of these only those of the
    same corpus: a name of another corpus is another person.

    Args:
        loaded: the benchmark.
        names: datasets of the benchmark, or free text.
        tested: the dataset that the checkpoint is judged on.

    Raises:
        RequestError: one of them trains on units that are tested.
    """
    apart = []
    for name in names:
        trained = _training_units(loaded, name, tested)
        if trained is None:
            continue
        test = _units(tested, "test")
        both, unit = sorted(trained & test), tested.corpus.unit
        if both:
            raise RequestError(
                f"{tested.name}: {len(both)} of its {len(test)} test {unit}s are among those that "
                f"{name} trains on, as {both[0]!r} is; such a row would say nothing. Evaluate the "
                "checkpoint on a dataset whose test it has not seen"
            )
        apart.append(name)
    return tuple(apart)


def training_notes(
    notes: tuple[str, ...], trained_on: tuple[str, ...] | None, apart: tuple[str, ...], unit: str
) -> tuple[str, ...]:
    """Return a row's notes with the one about the training data of its weights.

    Args:
        notes: the row's.
        trained_on: all data that the weights were trained on; None if it is not known.
        apart: the datasets among it that share no unit with the test split.
        unit: the resampling unit.
    """
    if trained_on is None:
        return notes
    others = tuple(note for note in notes if note != FOREIGN_WEIGHTS and not note.startswith(MADE))
    if set(apart) != set(trained_on):
        return (*others, FOREIGN_WEIGHTS)
    return (*others, f"{MADE} no {unit} that {' or '.join(apart)} trains on is tested")


def _training_units(loaded: LoadedBenchmark, name: str, tested: Listing) -> set[str] | None:
    """Return the units that a dataset trains on; None if these cannot be compared."""
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        return None
    units: set[str] = set()
    for part in loaded.parts(name):
        if isinstance(find(loaded, part), Absence):
            return None
        listing = list_dataset(loaded, part, tested.profile)
        if (type(listing.corpus), listing.folder) != (type(tested.corpus), tested.folder):
            return None
        units |= _units(listing, "train")
    return units


def _units(listing: Listing, split: str) -> set[str]:
    return {clean_name(unit) for unit in set(listing.split_items(split)["unit"])}
