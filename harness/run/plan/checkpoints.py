"""A checkpoint made elsewhere: found in a folder or on the hub, and the model it is of."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark, look_up
from harness.config.tables import Component
from harness.errors import ConfigError, JobFailed, RequestError, quoted
from harness.recipes.foreign_recipe import read_recipe
from harness.run.plan.adapters import WORKERS
from harness.run.plan.chosen import component
from harness.run.plan.description import Fitting
from harness.run.plan.request import CheckpointEntry

HUB = "hf://"

ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt")
"""What a file of weights may end in."""

BESIDE = frozenset(
    {"optimizer", "scaler", "classifier", "counter", "epoch_counter", "label_encoder"}
    | {"lr_annealing", "mean_var_norm", "mean_var_norm_emb", "normalizer", "brain", "init"}
    | {"dataloader-TRAIN", "scheduler", "train_state"}
)
"""Files beside the weights of a network, by their names without ending."""

FIRST = ("avg_model.pt", "best_model/model.pth", "embedding_model.ckpt", "last_model/model.pth")
"""Which file a folder means that holds several: WeSpeaker's average, the best one, the network."""

DEEPEST = 4


def find_checkpoint(said: str) -> Path:
    """The file that somebody means by a path or an address of the hub.

    Args:
        said: a file; a folder; or `hf://owner/name`, with `/file` where it holds several, and
            `@revision` behind the name where not its newest.

    Raises:
        RequestError: there is none, or there are several.
    """
    if said.startswith(HUB):
        return _from_hub(said)
    try:
        path = Path(said).expanduser().absolute()
        if path.is_dir():
            return path / _chosen(_weights_below(path), said)
        is_file = path.is_file()
    except OSError as error:
        raise RequestError(f"{said}: cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # `~name` of nobody
        raise RequestError(f"{said}: {error}") from error
    if not is_file:
        raise RequestError(f"{said}: {_why_no_file(path)}")
    return path


def model_of(loaded: LoadedBenchmark, path: Path) -> str:
    """The benchmark's model that a checkpoint is of, where its folder or its weights tell.

    Raises:
        RequestError: they do not; the models that its weights fit are named.
    """
    described = _described(path)
    if described is not None:
        found = [name for name in loaded.benchmark.models if _same(loaded, name, described)]
        if found:
            return found[0]
        table = ", ".join(f"{key} = {quoted(value)}" for key, value in described.items())
        raise RequestError(
            f"{path}: its folder's config.yaml says the model is {{ {table} }}, and no model of "
            "the benchmark is that; add it (`harness recipe config.yaml` prints it), or name one "
            "with --model"
        )
    told = _fits(loaded, path)
    raise RequestError(f"{path}: say with --model of which model it is; {told}")


def remarks(path: Path) -> tuple[str, ...]:
    """What a reader of its row must know of a checkpoint, as far as the files beside it tell."""
    if not (path.parent / "hyperparams.yaml").is_file():
        return ()
    return (
        "SpeechBrain trained it on filterbanks of its own (decibels, other filters), which it does "
        "not get here: do not hold this row against published figures",
    )


def check_fits(loaded: LoadedBenchmark, entry: CheckpointEntry) -> None:
    """Hold a checkpoint against its model before anything else is done.

    A model whose code fails is let be: that is its job's to say, in its row.

    Raises:
        RequestError: it is no checkpoint, or of another network; the models that its weights fit
            are named.
    """
    look_up(loaded.benchmark.models, entry.model, "model")
    try:
        fit = WORKERS.ask(_fitting(loaded, entry.path, entry.model, exactly=True))
    except JobFailed:
        return
    if fit.why:
        raise RequestError(
            f"{fit.why}; these are no weights of {entry.model!r}: {_fits(loaded, entry.path)}"
        )


def _why_no_file(path: Path) -> str:
    if path.exists():
        return "is no regular file; copy it into one"
    if path.is_symlink():
        return f"links to {quoted(str(path.readlink()), 300)}, which is not there; fetch that file"
    return "no such checkpoint"


def _weights_below(folder: Path) -> list[str]:
    """Files of weights below a folder, links to one file once, relative to it."""
    seen: dict[Path, str] = {}
    for path in sorted(folder.rglob("*"), key=lambda each: (each.is_symlink(), str(each))):
        inside = path.relative_to(folder)
        right = path.suffix in ENDINGS and path.stem not in BESIDE
        if right and len(inside.parts) <= DEEPEST and path.is_file():
            seen.setdefault(path.resolve(), inside.as_posix())
    return sorted(seen.values())


def _chosen(names: list[str], where: str) -> str:
    """The one file of weights among several names.

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
    """Bring a file of the hub here; what is here already is used again."""
    try:
        from huggingface_hub import HfApi, get_session, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ModuleNotFoundError as error:
        raise RequestError(
            f"{said}: reading the hub needs huggingface_hub; install it, or give a file"
        ) from error
    owner, name, revision, file = _address(said)
    # Which library it speaks HTTP with differs by its version, and so do a lost line's errors.
    client = import_module(type(get_session()).__module__.partition(".")[0])
    try:
        if not file:
            held = HfApi().list_repo_files(f"{owner}/{name}", revision=revision)
            file = _chosen([each for each in held if _is_weights(each)], said)
        return Path(hf_hub_download(f"{owner}/{name}", file, revision=revision)).absolute()
    except (HfHubHTTPError, HFValidationError, client.HTTPError, OSError) as error:
        why = quoted(str(error).partition("\n")[0], 300)
        raise RequestError(f"{said}: cannot be had from the hub ({why})") from error


def _address(said: str) -> tuple[str, str, str | None, str]:
    parts = said.removeprefix(HUB).split("/", 2)
    if len(parts) < 2 or not all(parts[:2]):
        raise RequestError(f"{said}: write {HUB}owner/name, or {HUB}owner/name/file")
    name, _, revision = parts[1].partition("@")
    return parts[0], name, revision or None, parts[2] if len(parts) == 3 else ""


def _is_weights(name: str) -> bool:
    path = Path(name)
    return path.suffix in ENDINGS and path.stem not in BESIDE


def _described(path: Path) -> dict[str, Any] | None:
    """The model's table by the config.yaml that WeSpeaker leaves in the folder it trained in."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "config.yaml").is_file():
            try:
                return read_recipe(folder / "config.yaml").model
            except ConfigError:
                return None
    return None


def _same(loaded: LoadedBenchmark, name: str, described: dict[str, Any]) -> bool:
    """Whether a model of the benchmark is the one that a table describes."""
    table = loaded.benchmark.models[name]
    if table.adapter != described["adapter"]:
        return False
    asked = Component(**described)
    try:
        wanted = component(name, asked, "config.yaml: model")
        return wanted == component(name, table, f"models.{name}")
    except JobFailed:
        return False


def _fitting(loaded: LoadedBenchmark, path: Path, name: str, *, exactly: bool) -> Fitting:
    table, where = loaded.benchmark.models[name], loaded.where("models", name)
    return Fitting(path, table.adapter, table.fields, where, exactly)


def _fits(loaded: LoadedBenchmark, path: Path) -> str:
    """Which models of the benchmark have a place for each weight, by names and shapes.

    Raises:
        RequestError: the file is no checkpoint.
    """
    found = []
    for name in loaded.benchmark.models:
        # A model that cannot be made here, or whose code fails, is none that it fits.
        with suppress(ConfigError, JobFailed):
            if not WORKERS.ask(_fitting(loaded, path, name, exactly=False)).why:
                found.append(name)
    if not found:
        return "no model of the benchmark has these names and shapes"
    return f"{', '.join(found)} of the benchmark {'has' if len(found) == 1 else 'have'} them"
