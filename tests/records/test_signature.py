"""Signatures by OpenSSH's own program, verified here; and the other way round."""

from __future__ import annotations

import base64
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.records.signature import (
    NAMESPACE,
    SignatureError,
    Signers,
    parse_signers,
    read_signers,
    sign,
)

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is absent")

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def make_key(folder: Path, kind: str = "ed25519", name: str = "key") -> Path:
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_signature_counts_of_its_own_message_alone(tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path, kind)
    signers = parse_signers(f"ann {public(key)}\n", "signers")
    signature = sign(b"record", key)
    assert signers.verify(b"record", signature, NOON).name == "ann"
    with pytest.raises(SignatureError, match="no signature of this content"):
        signers.verify(b"recorD", signature, NOON)


def test_openssh_says_the_same(tmp_path: Path) -> None:
    key, message = make_key(tmp_path), b"the chain"
    (tmp_path / "signers").write_text(f"ann {public(key)}\n")
    (tmp_path / "sig").write_text(sign(message, key))
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "ann"]
    command += ["-n", NAMESPACE, "-s", str(tmp_path / "sig")]
    for given, is_right in ((message, True), (b"other", False)):
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        assert (done.returncode == 0) is is_right


def test_neither_strangers_nor_other_purposes_count(tmp_path: Path) -> None:
    key, other = make_key(tmp_path), make_key(tmp_path, name="other")
    signers = parse_signers(f"ann {public(key)}", "signers")
    with pytest.raises(SignatureError, match="does not list"):
        signers.verify(b"x", sign(b"x", other), NOON)
    with pytest.raises(SignatureError, match="does not list"):
        Signers().verify(b"x", sign(b"x", key), NOON)
    (tmp_path / "x").write_bytes(b"x")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "git", str(tmp_path / "x")]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(SignatureError, match="Namespace"):
        signers.verify(b"x", (tmp_path / "x.sig").read_text(), NOON)


def test_a_key_counts_in_its_time(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    line = f'ann namespaces="git,{NAMESPACE}",valid-after="20261101",valid-before="20261130Z" '
    signers, signature = parse_signers(line + public(key), "signers"), sign(b"x", key)
    assert signers.verify(b"x", signature, NOON).name == "ann"
    for early_or_late in (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)):
        with pytest.raises(SignatureError, match="out of the time"):
            signers.verify(b"x", signature, early_or_late)
    assert parse_signers(f'ann namespaces="git" {public(key)}', "signers") == Signers()


@pytest.mark.parametrize("cut", [0, 10, 120, -40])
def test_what_is_no_signature_is_said_to_be_none(tmp_path: Path, cut: int) -> None:
    key = make_key(tmp_path)
    signers = parse_signers(f"ann {public(key)}", "signers")
    with pytest.raises(SignatureError):
        signers.verify(b"x", sign(b"x", key)[:cut], NOON)


def test_any_byte_may_be_damaged(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    signers = parse_signers(f"ann {public(key)}", "signers")
    first, *lines, last = sign(b"x", key).splitlines()
    content = base64.b64decode("".join(lines))
    refused = 0
    for place in range(len(content)):
        damaged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        text = "\n".join((first, base64.b64encode(damaged).decode(), last))
        try:
            signers.verify(b"x", text, NOON)
        except SignatureError:
            refused += 1
    # Some lengths are read twice, and one of the two is not needed.
    assert refused > 0.9 * len(content)


@pytest.mark.parametrize(
    "line",
    [
        "ann",
        "ann ssh-ed25519",
        "ann ssh-ed25519 AAAA",
        "ann ssh-unknown AAAA",
        "* KEY",
        "ann,bob KEY",
        "ann cert-authority KEY",
        'ann valid-before="soon" KEY',
        'ann namespaces="trialboard KEY',
        '"ann KEY',
    ],
)
def test_lines_that_are_none_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "signers"
    path.write_text("# keys\n\n" + line.replace("KEY", public(make_key(tmp_path))))
    with pytest.raises(RequestError, match=r"signers:3: no line"):
        read_signers(path)


def test_a_kind_of_key_that_is_not_known_is_named(tmp_path: Path) -> None:
    key = make_key(tmp_path, "ecdsa")
    with pytest.raises(RequestError, match="not supported: ecdsa"):
        parse_signers(f"ann {public(key)}", "signers")


def test_nobody_is_listed_without_a_file(tmp_path: Path) -> None:
    assert read_signers(tmp_path / "signers") == Signers()


def test_a_key_that_cannot_sign_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key\n")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(RequestError, match="cannot sign with it"):
        sign(b"x", tmp_path / "key")
