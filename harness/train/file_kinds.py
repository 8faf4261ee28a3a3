"""Kinds of files that are handed over as checkpoints and are none; nothing in them is executed."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from harness.errors import quoted
from harness.train.pickles import (
    BROKEN_ZIP,
    PICKLE_BYTES,
    is_old_torch_file,
    is_pickle,
    object_names,
    pickle_of_archive,
)

HEAD = 8192
"""Bytes at the start of a file that decide its format."""

LONGEST_HEADER = 100_000_000
"""Bytes of a safetensors header; its library refuses longer ones."""

EXPANDS = 20
"""A checkpoint holds what it unpacks to; an archive of this many times its size is a bomb."""

SAVE = (
    "save the weights alone where they were trained: torch.save(network.state_dict(), FILE), "
    "or a safetensors file"
)
AGAIN = "copy or download it again"
UNPACK = "unpack it and name the file of weights inside"


@dataclass(frozen=True)
class Kind:
    """A kind of file, and the way from it to a checkpoint."""

    name: str
    mend: str = SAVE


SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"\x93NUMPY", Kind("an array of numpy (.npy)")),
    (0, b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file, as Keras and h5py write it")),
    (4, b"TFL3", Kind("a network of TensorFlow Lite")),
    (0, b"GGUF", Kind("a GGUF file")),
    (0, b"\0B<", Kind("a network of Kaldi")),
    (0, b"<Nnet3>", Kind("a network of Kaldi")),
    (257, b"ustar", Kind("a tar archive", UNPACK)),
    (0, b"\x1f\x8b", Kind("a gzip archive", UNPACK)),
    (0, b"BZh", Kind("a bzip2 archive", UNPACK)),
    (0, b"\xfd7zXZ\0", Kind("an xz archive", UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", Kind("a zstd archive", UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", UNPACK)),
    (0, b"Rar!", Kind("a RAR archive", UNPACK)),
    (0, b"SQLite format 3\0", Kind("a database of SQLite")),
    (0, b"%PDF", Kind("a PDF document", AGAIN)),
    (0, b"\x89PNG", Kind("a picture", AGAIN)),
    (0, b"\xff\xd8\xff", Kind("a picture", AGAIN)),
    (0, b"GIF8", Kind("a picture", AGAIN)),
    (0, b"RIFF", Kind("a RIFF file, as sounds are", AGAIN)),
    (0, b"fLaC", Kind("a sound", AGAIN)),
    (0, b"OggS", Kind("a sound", AGAIN)),
    (0, b"\x7fELF", Kind("a program", AGAIN)),
    (0, b"MZ\x90\0", Kind("a program", AGAIN)),
)

PROTOBUF = re.compile(rb"\x08[\x01-\x1e][\x12\x1a\x22\x32\x3a\x42]")
"""The first fields of a graph: its version, then a text or a message."""

SORTED_TABLE = bytes.fromhex("57fb808b247547db")
"""The last bytes of TensorFlow's indices and of its checkpoints before 2016."""

MARKUP = re.compile(rb"<(!doctype|!--|\?xml|[a-z][\w:-]*[\s/>])", re.IGNORECASE)
PAGE = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)

TEXTS: tuple[tuple[str, Kind], ...] = (
    (
        r"^version https://(git-lfs|hawser)\.",
        Kind("a pointer of Git LFS, not the file", "run `git lfs pull` in its repository"),
    ),
    (
        "^[./]*annex/objects/",
        Kind("a pointer of git-annex, not the file", "run `git annex get` in its repository"),
    ),
    ("^model_checkpoint_path:", Kind("TensorFlow's list of its checkpoints")),
    ('"weight_map"', Kind("an index of weights in several files, not the weights")),
)
"""Texts by their first lines."""

MEMBERS: tuple[tuple[str, Kind], ...] = (
    (r"(^|/)constants\.pkl$|(^|/)code/", Kind("a TorchScript archive: a program, not its weights")),
    (
        r"(^|/)(serialized_exported_program\.json|archive_format|extern_modules)$",
        Kind("a program that torch.export or torch.package wrote, not its weights"),
    ),
    (r"(^|/)data\.pkl$", Kind("")),
    (r"^model\.weights\.h5$", Kind("a network of Keras")),
    (r"\.npy$", Kind("an archive of numpy arrays (.npz)")),
)
"""Zip archives by the name of a member; a kind without a name is torch's."""


def is_safetensors(path: Path) -> bool:
    """Return True if a file begins as safetensors does: a length, then a table in JSON."""
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[8:] == b"{" and length <= LONGEST_HEADER


def other_kind(path: Path) -> Kind | None:
    """Name a file by its first bytes; None if it may be a checkpoint.

    Raises:
        OSError: it cannot be read.
    """
    if is_safetensors(path):
        return None
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(-min(8, os.path.getsize(path)), os.SEEK_END)
        tail = file.read(8)
    if head.startswith(b"PK"):
        return _archive(path)
    if not head:
        return Kind("the file is empty", AGAIN)
    if not head.strip(b"\0"):
        return Kind("the file begins with nothing but zeros: a copy that broke off", AGAIN)
    return _kind_by_signature(head, tail) or _text(head)


def unreadable(path: Path) -> Kind:
    """Name a file that looks like a checkpoint and could not be read."""
    if is_safetensors(path):
        return Kind("a safetensors file that is damaged or cut off", AGAIN)
    with path.open("rb") as file:
        content = file.read(PICKLE_BYTES)
    if content.startswith(b"PK"):
        names = list(object_names(pickle_of_archive(path)))
        return _program(names) if names else Kind("a zip archive, damaged or cut off", AGAIN)
    if content[:1] != b"\x80" and not is_pickle(content):
        return Kind(f"a file of another kind (its first bytes are {content[:16].hex(' ')})")
    names = list(object_names(content))
    if names:
        return _program(names)
    if is_old_torch_file(content):
        return Kind("a file of torch, damaged or cut off", AGAIN)
    return Kind("a pickle that torch.save did not write, or a damaged one")


def _kind_by_signature(head: bytes, tail: bytes) -> Kind | None:
    for place, signature, kind in SIGNATURES:
        if head[place:].startswith(signature):
            return kind
    if PROTOBUF.match(head):
        return Kind("a graph in a protocol buffer, as ONNX and TensorFlow write it")
    return Kind("a table of TensorFlow") if tail == SORTED_TABLE else None


def _text(head: bytes) -> Kind | None:
    text = _decode(head)
    start = (head if text is None else text.encode()).lstrip(b"\xef\xbb\xbf \t\r\n")
    if MARKUP.match(start):
        said = "a web page" if PAGE.search(start) else "an XML document"
        return Kind(f"{said} that was saved in place of the file", f"{AGAIN}, logged in if need be")
    if text is None or is_pickle(head):
        return None
    text = text.lstrip("\ufeff \t\r\n")
    known = (kind for pattern, kind in TEXTS if re.search(pattern, text))
    said = f"it begins with {quoted(text.partition(chr(10))[0].strip(), 60)}"
    return next(known, Kind(f"{'JSON text' if text[:1] in '{[' else 'text'} ({said})", AGAIN))


def _decode(head: bytes) -> str | None:
    """Return the head as text; None if it is none."""
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    for cut in range(4):  # the head may end within a character
        try:
            text = head[: len(head) - cut].decode("utf-16" if wide else "utf-8")
        except UnicodeDecodeError:
            continue
        return None if re.search(r"[\x00-\x06\x0e-\x1a]", text) else text
    return None


def _archive(path: Path) -> Kind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except BROKEN_ZIP:
        return Kind("a zip archive that is damaged or cut off", AGAIN)
    for pattern, kind in MEMBERS:
        if any(re.search(pattern, each.filename) for each in members):
            unpacked = sum(each.file_size for each in members)
            if not kind.name and unpacked > EXPANDS * os.path.getsize(path):
                return Kind(f"an archive that unpacks to more than {EXPANDS} times its size")
            return kind if kind.name else None
    return Kind("a zip archive", UNPACK)


def _program(names: list[str]) -> Kind:
    """Return the kind of a pickle of objects that only the code which wrote it can make again."""
    shown = [name if re.fullmatch(r"[\w.]{1,60}", name) else quoted(name, 60) for name in names[:3]]
    listed = ", ".join(shown) + (", ..." if len(names) > 3 else "")
    if any(name.startswith("torch.nn.modules.") for name in names):
        return Kind(f"it is a whole network, pickled with its code ({listed})")
    ours = "arrays of numpy" if all(name.startswith("numpy.") for name in names) else "objects"
    return Kind(f"it holds {ours} beside tensors ({listed})")
