"""Files that are either whole or absent, and locks between processes."""

from __future__ import annotations

import errno
import io
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from filelock import FileLock

from harness.errors import naming

if os.name == "posix":
    import fcntl

T = TypeVar("T")

HOST = sha256(platform.node().encode()).hexdigest()[:8]
"""In the names of temporary files: locks of another machine may not be seen here."""

_OURS = re.compile(rf"\..+\.{HOST}-[^.]+\.part")

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""Errors of file systems without hard links."""

_swept: set[str] = set()
"""Folders in which this process looked for what dead ones left."""


class _Lock(FileLock):
    """A lock that names the file it guards if it cannot be taken."""

    guarded: Path

    def acquire(self, *args: Any, **options: Any) -> Any:
        """Take the lock.

        Raises:
            PathError, StorageError: the lock's file cannot be made.
            Timeout: somebody else holds it.
        """
        with naming(self.guarded):
            return super().acquire(*args, **options)


class _WatchedFile(io.BufferedIOBase):
    """A file that keeps the first error of its disk.

    Libraries that write to it may raise errors of their own in its place. It has no descriptor,
    past which they could write unwatched.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._watch(self._file.seek, offset, whence)

    def write(self, content: Any) -> int:
        return self._watch(self._file.write, content)

    def flush(self) -> None:
        self._watch(self._file.flush)

    def _watch(self, act: Callable[..., T], *given: Any) -> T:
        try:
            return act(*given)
        except OSError as error:
            self.error = self.error or error
            raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; on a clean exit it becomes `path`.

    The content is on disk before the name is, so a crash leaves the old file or the new one. What
    killed processes of this machine left in the folder goes.

    Raises:
        PathError: the path cannot be written.
        StorageError: the disk is full, or fails.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        temporary, handle = _make_temporary(path)
        try:
            yield temporary
            _flush(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(handle)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write; on a clean exit it becomes `path`.

    For libraries that write by themselves: whatever they make of a full disk, the disk's own
    error is raised.

    Raises:
        PathError: the path cannot be written.
        StorageError: the disk is full, or fails.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        watched = _WatchedFile(file)
        try:
            yield cast(IO[bytes], watched)
            watched.flush()
        except Exception:
            if watched.error is None:
                raise
            raise watched.error from None


def _sweep(folder: Path) -> None:
    """Remove what dead processes left in a folder, once."""
    if str(folder) not in _swept:
        _swept.add(str(folder))
        remove_stale(folder)


def remove_stale(folder: Path) -> None:
    """Remove temporary files of a folder whose writer is dead.

    A writer holds a lock on its file, which ends with it however it ends. Files of other machines
    stay: a shared file system may not show their locks here.
    """
    with suppress(OSError):  # not ours to list or to write: nor would anything of ours lie there
        stale = [entry.path for entry in os.scandir(folder) if _OURS.fullmatch(entry.name)]
        for name in stale:
            handle = os.open(name, os.O_RDWR)
            try:
                if _take(handle):
                    os.unlink(name)
            finally:
                os.close(handle)


def _make_temporary(path: Path) -> tuple[Path, int]:
    """Make a temporary file beside a path, and lock it for as long as its handle is open."""
    while True:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.{HOST}-", suffix=".part"
        )
        _take(handle)
        # Whoever removes stale files may have come between the two lines above.
        if Path(name).exists():
            return Path(name), handle
        os.close(handle)


def _take(handle: int) -> bool:
    """Lock an open file without waiting; False if somebody holds it or nothing can."""
    if os.name != "posix":
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    write_bytes(path, text.encode())


def create_file(path: Path, content: bytes) -> bool:
    """Create a file, whole, in one step that one process alone can do.

    Returns:
        False if it is there.

    Raises:
        OSError: the folder takes no file.
    """
    _sweep(path.parent)
    temporary, handle = _make_temporary(path)
    try:
        temporary.write_bytes(content)
        temporary.chmod(0o644)
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            # A network file system may ask twice, and answer that it is there the second time.
            return temporary.stat().st_nlink == 2
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            return _create_in_place(path, content)
        return True
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _create_in_place(path: Path, content: bytes) -> bool:
    """Create a file where there are no hard links; until it is written it is there, and empty."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def append_text(path: Path, text: str) -> None:
    """Append text to a file, in UTF-8: all of it, or nothing if the disk is full."""
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                _write_all(file, text.encode())
            except OSError:
                file.truncate(before)
                raise


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        PathError: it is absent, or cannot be read.
    """
    with naming(path):
        return path.read_bytes()


def read_text(path: Path) -> str:
    """Read a text file in UTF-8.

    Raises:
        PathError: it is absent, or cannot be read.
        UnicodeDecodeError: it is no such text.
    """
    return read_bytes(path).decode()


def keep_from_git(folder: Path) -> None:
    """Make a folder that git takes no notice of, whatever it is called and wherever it lies.

    Outputs in a work tree would else pass for changed code, and their records for made by it.
    """
    if not (folder / ".gitignore").exists():
        write_text(folder / ".gitignore", "*\n")


def lock(path: Path) -> FileLock:
    """Return a lock between processes on `path`; it is released if its holder is killed.

    Raises:
        PathError, StorageError: its folder cannot be made; later, its file.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    made = _Lock(path.with_name(path.name + ".lock"))
    made.guarded = path
    return made


def check_writable(path: Path) -> None:
    """Check early that a file can be written in the end.

    Raises:
        PathError: its folder cannot be written.
    """
    folder = next(each for each in path.absolute().parents if each.is_dir())
    with naming(path), tempfile.TemporaryFile(dir=folder):
        pass


def _write_all(file: IO[bytes], content: bytes) -> None:
    """Write without a buffer: a disk that is full takes a part first."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
