"""Files that are no checkpoints are named for what they are, in one line that shows nothing raw."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor, nn

from harness.errors import RequestError
from harness.train.checkpoint import load_weights

WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.zeros(2)}
ESCAPE = "\x1b[31m"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 28000000\n"
PAGE = f"<!DOCTYPE html>\n<html><title>{ESCAPE}404</title></html>"


def saved(content: Any, *, old: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


def scripted() -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), file)
    return file.getvalue()


def zipped(*names: str, content: bytes = b"", compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.pt"))
    return file.getvalue()


def header(content: str) -> bytes:
    """A safetensors file with a header of one's own, and four bytes of numbers."""
    return len(content).to_bytes(8, "little") + content.encode() + bytes(4)


def hostile_header(name: str, shape: list[int]) -> bytes:
    return header(json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}))


NAMESPACE = argparse.Namespace(lr=1)

KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty; copy or download it again"),
    "zeros": (lambda: bytes(999), "nothing but zeros"),
    "Git LFS": (LFS.encode, "a pointer of Git LFS.*`git lfs pull`"),
    "git-annex": (lambda: b"/annex/objects/SHA256E-s1--ab.pt\n", "git-annex.*`git annex get`"),
    "web page": (PAGE.encode, "a web page that was saved"),
    "web page, no type": (lambda: b"\r\n <HTML lang=de><body>", "a web page"),
    "web page, Latin-1": (lambda: b"<html><title>\xe9\xff</title>", "a web page"),
    "web page, UTF-16": (lambda: PAGE.encode("utf-16"), "a web page"),
    "XML": (lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Error/>', "an XML document"),
    "JSON": (lambda: json.dumps({"error": ESCAPE}).encode(), "JSON text"),
    "index": (lambda: b'{"weight_map": {"a": "1.safetensors"}}', "weights in several files"),
    "text": (f"{ESCAPE}hello\nb".encode, r"text \(it begins with '.x1b.31mhello'\)"),
    "long line": (lambda: b"a b" * 90_000, "text"),
    "tar": (tarred, "a tar archive; unpack it"),
    "gzip": (lambda: gzip.compress(saved(WEIGHTS)), "a gzip archive; unpack it"),
    "zip": (lambda: zipped("weights.pt"), "a zip archive; unpack it"),
    "cut zip": (lambda: saved(WEIGHTS)[:-40], "a zip archive that is damaged or cut off"),
    "bomb": (
        lambda: zipped("a/data.pkl", content=bytes(10**6), compression=zipfile.ZIP_DEFLATED),
        "unpacks to more than 20 times",
    ),
    "TorchScript": (scripted, "a TorchScript archive"),
    "npz": (arrays, r"numpy arrays \(.npz\)"),
    "npy": (lambda: b"\x93NUMPY\x01\0v\0{'descr'", r"numpy \(.npy\)"),
    "Keras": (lambda: zipped("config.json", "model.weights.h5"), "Keras"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    "ONNX": (lambda: b"\x08\x07\x12\x07pytorch\x1a\x032.1:\x96", "ONNX"),
    "TensorFlow": (lambda: b"\0\1\2" * 9 + bytes.fromhex("57fb808b247547db"), "TensorFlow"),
    "cut, before 2020": (lambda: saved(WEIGHTS, old=True)[:-9], "a file of torch, damaged"),
    "namespace": (
        lambda: saved({"state_dict": WEIGHTS, "args": NAMESPACE}),
        r"objects beside tensors \(argparse.Namespace\)",
    ),
    "namespace, before 2020": (lambda: saved([NAMESPACE], old=True), r"\(argparse.Namespace\)"),
    "numpy": (lambda: saved({"w": np.zeros(2)}), "arrays of numpy beside tensors"),
    "network": (lambda: saved(nn.Linear(2, 2)), r"a whole network.*torch.nn.modules.linear.Linear"),
    "pickle": (lambda: pickle.dumps([NAMESPACE, NAMESPACE]), r"\(argparse.Namespace"),
    "pickle of 1996": (lambda: pickle.dumps([NAMESPACE], 0), "argparse.Namespace"),
    "pickle of text": (
        lambda: pickle.dumps({"a": "text"}),
        "a pickle that torch.save did not write",
    ),
    "hostile name": (
        lambda: b"\x80\x02c%sos\n%s\n." % (ESCAPE.encode(), b"system" * 50),
        r"objects beside tensors \('.x1b",
    ),
    "number": (lambda: saved(WEIGHTS["layer.bias"]), "no state dict of tensors .but a Tensor"),
    "other names": (lambda: saved({1: WEIGHTS["layer.bias"]}), "1 is a Tensor"),
    "sparse": (lambda: saved({"w": torch.eye(2).to_sparse()}), "'w' is a sparse"),
    "no values": (lambda: saved({"w": torch.zeros(2, device="meta")}), "'w' is a sparse"),
    "cut safetensors": (lambda: save(WEIGHTS)[:-3], "safetensors file that is damaged or cut"),
    "cut header": (lambda: save(WEIGHTS)[:40], "safetensors file that is damaged or cut"),
    "false sizes": (lambda: hostile_header(ESCAPE, [10**10]), "safetensors file that is damaged"),
    "deep header": (lambda: header('{"a":' * 50_000), "safetensors file that is damaged"),
    "unknown": (lambda: b"\xff\x01" * 50, "of another kind .its first bytes are ff 01"),
}


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_file_is_named_for_what_it_is(kind: str, ending: str, tmp_path: Path) -> None:
    make, said = KINDS[kind]
    path = tmp_path / f"any.{ending}"
    path.write_bytes(make())
    with pytest.raises(RequestError, match=rf"^{re.escape(str(path))}: .*{said}") as found:
        load_weights(path)
    check_message(str(found.value), path)


def test_a_folder_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is a folder; name the file"):
        load_weights(tmp_path)


@pytest.mark.parametrize("old", [False, True])
def test_a_checkpoint_is_known_by_its_content(old: bool, tmp_path: Path) -> None:
    contents = {"a.safetensors": saved(WEIGHTS, old=old), "b.pt": save(WEIGHTS)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        found = load_weights(tmp_path / name)
        assert all(torch.equal(found[key], value) for key, value in WEIGHTS.items())


WHOLE = (
    saved(WEIGHTS), saved(WEIGHTS, old=True), saved([WEIGHTS, NAMESPACE]), save(WEIGHTS),
    pickle.dumps(WEIGHTS["layer.weight"].tolist()), pickle.dumps(NAMESPACE, 0),
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 4))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    inserted = draw(st.binary(max_size=20) | st.just(ESCAPE.encode()))
    cuts = (bytes(content[:start]) + inserted, content[:start] + inserted + content[end:])
    return draw(st.sampled_from([bytes(content), *map(bytes, cuts)]))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged() | st.binary(max_size=300))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.pt"
    path.write_bytes(content)
    try:
        found = load_weights(path)
    except RequestError as error:
        check_message(str(error), path)
    else:
        assert all(isinstance(value, Tensor) for value in found.values())


def check_message(message: str, path: Path) -> None:
    """One line of a bounded length that can be printed, and no advice to load without a check."""
    assert message.isprintable()
    assert "weights_only" not in message
    assert len(message) < len(str(path)) + 400
