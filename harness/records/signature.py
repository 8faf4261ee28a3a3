"""Signatures of OpenSSH's format (SSHSIG), and the file of those whose signatures count.

Signing is left to `ssh-keygen`, which knows agents, passphrases and keys in hardware. Signatures
are verified in this process, so that a table of many records starts no process for each.

The signers file is OpenSSH's `allowed_signers` (`man ssh-keygen`, ALLOWED SIGNERS): a line holds a
name, options (`namespaces`, `valid-after`, `valid-before`) and a public key, of Ed25519 or RSA.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from harness.errors import RequestError

NAMESPACE: Final = "trialboard"
"""Of every signature made here, so that one made for mail or for git says nothing here."""

SIGNERS: Final = "signers"
"""The name of the signers file in the folder of published tables."""

LONGEST: Final = 10_000
"""Bytes of a signature; that of an RSA key of 16,384 bits has 6,000."""


class SignatureError(Exception):
    """The reason why a signature does not count."""


@dataclass(frozen=True)
class Signer:
    """One line of a signers file.

    Attributes:
        name: the principal.
        key: the public key as OpenSSH writes it, `ssh-ed25519 AAAA...`.
        after, before: the time in which signatures count; None for no bound.
    """

    name: str
    key: str
    after: datetime | None = None
    before: datetime | None = None

    def counted_at(self, when: datetime) -> bool:
        """Return True if what was finished at a time may be signed with this key."""
        is_late = self.before is not None and when >= self.before
        return not is_late and (self.after is None or when >= self.after)


@dataclass(frozen=True)
class Signers:
    """Those whose signatures count.

    Attributes:
        listed: the lines of their file, in its order.
    """

    listed: tuple[Signer, ...] = ()

    @cached_property
    def _by_key(self) -> dict[str, Signer]:
        return {signer.key: signer for signer in reversed(self.listed)}

    def verify(self, message: bytes, signature: str, when: datetime) -> Signer:
        """Find who signed a message.

        Args:
            message: the signed bytes.
            signature: armoured, as `ssh-keygen -Y sign` writes it.
            when: the time that what is signed says of itself; keys count in their own time only.

        Raises:
            SignatureError: it is none, of another message or namespace, or by nobody listed.
        """
        import sshsig  # Brings a library of cryptography, which few commands need.

        try:
            key = sshsig.check_signature(message, signature, NAMESPACE).openssh_str()
        except sshsig.InvalidSignature as error:
            why = f" ({error})" if str(error) else ""
            raise SignatureError(f"no signature of this content{why}") from error
        except (NotImplementedError, ValueError, AssertionError) as error:
            # The library asserts what it expects of some lengths.
            raise SignatureError(f"a signature of an unknown kind ({error})") from error
        signer = self._by_key.get(" ".join(key.split()[:2]))
        if signer is None:
            raise SignatureError(f"signed by a key that the file {SIGNERS!r} does not list")
        if not signer.counted_at(when):
            raise SignatureError(f"signed by {signer.name} out of the time in which the key counts")
        return signer


def read_signers(path: Path) -> Signers:
    """Read a signers file; nobody is listed where there is none.

    Raises:
        RequestError: the file cannot be read or holds other lines, naming the line.
    """
    try:
        return parse_signers(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return Signers()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: cannot be read ({error}); restore it from git") from error


def parse_signers(text: str, where: str) -> Signers:
    """Return the signers of a file's text.

    Raises:
        RequestError: a line is none of OpenSSH's format, has a key of an unknown kind, a pattern in
            place of a name, or a certificate authority, which nothing here follows.
    """
    return Signers(tuple(_signers(text, where)))


def sign(message: bytes, key: Path) -> str:
    """Sign a message with an SSH key.

    Args:
        message: the bytes.
        key: a private key's file; or a public key's, whose private one an agent holds.

    Returns:
        The armoured signature.

    Raises:
        RequestError: `ssh-keygen` is missing, or cannot sign with the key; what it said.
    """
    return sign_all([message], key)[0]


def sign_all(messages: Sequence[bytes], key: Path) -> list[str]:
    """Sign messages with an SSH key, whose passphrase is asked for once.

    Args:
        messages: the bytes of each.
        key: as `sign` takes it.

    Returns:
        The armoured signatures, in the order of the messages.

    Raises:
        RequestError: as `sign` does.
    """
    if not messages:
        return []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"message-{number}" for number in range(len(messages))]
        for path, message in zip(paths, messages, strict=True):
            path.write_bytes(message)
        command = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE]
        command += map(str, paths)
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError as error:
            raise RequestError(
                "ssh-keygen is not installed; signing needs OpenSSH's client"
            ) from error
        except subprocess.CalledProcessError as error:
            said = os.fsdecode(error.stderr).strip() or f"exit {error.returncode}"
            raise RequestError(f"{key}: cannot sign with it ({said})") from error
        return [path.with_name(f"{path.name}.sig").read_text(encoding="ascii") for path in paths]


def _signers(text: str, where: str) -> Iterator[Signer]:
    from sshsig.allowed_signers import AllowedSigner
    from sshsig.ssh_public_key import PublicKey

    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            entry = AllowedSigner.parse(line)
            options = entry.options or {}
            namespaces = options.get("namespaces", NAMESPACE).split(",")
            if "cert-authority" in options or any(letter in entry.principals for letter in "*?!,"):
                raise ValueError("a name and its own key are wanted; no pattern, no authority")
            key = PublicKey.from_openssh_str(f"{entry.key_type} {entry.base64_key}").openssh_str()
            after, before = (
                _time(options[name]) if name in options else None
                for name in ("valid-after", "valid-before")
            )
        except (ValueError, NotImplementedError, IndexError) as error:
            raise RequestError(
                f"{where}:{number}: no line of an allowed signers file ({error})"
            ) from error
        if NAMESPACE in namespaces:
            yield Signer(entry.principals, " ".join(key.split()[:2]), after, before)


def _time(text: str) -> datetime:
    """Return a time of OpenSSH, `YYYYMMDD[HHMM[SS]][Z]`, taken as UTC whatever the machine's is."""
    digits = text.removesuffix("Z")
    formats = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if len(digits) not in formats:
        raise ValueError(f"{text!r} is no time; write YYYYMMDD")
    return datetime.strptime(digits, formats[len(digits)]).replace(tzinfo=UTC)
