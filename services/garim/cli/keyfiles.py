"""People's keys in files: each encrypted under a passphrase, mode 0600.

``"GKF1" ‖ kind[1] ‖ log2 cost[1] ‖ salt[16] ‖ AES-256-GCM(secret)``. The key comes from the passphrase by
scrypt (RFC 7914) with a salt of this file's own, so it encrypts once; the head is authenticated.
"""

from __future__ import annotations

import enum
import getpass
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from garim.cli.files import write_private
from garim.kit.files import read_secret_file
from garim.sealing import hpke, keys
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GKF1"
SALT_BYTES = 16
LOG2_COST = 17
_HEAD_BYTES = len(MAGIC) + 2 + SALT_BYTES
_COSTS = range(10, 21)
MIN_PASSPHRASE = 12


class KeyKind(enum.IntEnum):
    """What a key file holds."""

    DECISION = 1
    """An Ed25519 private key, 32 bytes."""
    SHARE = 2
    """An HPKE private key, 96 bytes."""


_SIZES = {KeyKind.DECISION: 32, KeyKind.SHARE: hpke.PRIVATE_BYTES}


def write_key(path: Path, kind: KeyKind, secret: Secret, passphrase: Secret, *, log2_cost: int) -> None:
    """Write a key file.

    Args:
        path: A new file.
        kind: What the secret is.
        secret: The private key's bytes.
        passphrase: Protects the file.
        log2_cost: Cost of scrypt.

    Raises:
        RefusedError: `FILE_EXISTS`.
    """
    head = MAGIC + bytes([kind, log2_cost]) + secrets.token_bytes(SALT_BYTES)
    with _derive(passphrase, head) as key:
        write_private(path, head + keys.encrypt_once(key, secret.buffer, head))


def read_key(path: Path, kind: KeyKind, passphrase: Secret) -> Secret:
    """Read a key file; the caller wipes the secret.

    Args:
        path: The file; mode 0600.
        kind: What it must hold.
        passphrase: Protects the file.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING`, `FILE_UNREADABLE`, `KEY_FILE` (another format or kind)
            or `KEY_PASSPHRASE_WRONG`.
    """
    data = read_secret_file(path, "key file")
    head = data[:_HEAD_BYTES]
    if len(head) < _HEAD_BYTES or head[:4] != MAGIC or head[4] != kind or head[5] not in _COSTS:
        raise RefusedError("KEY_FILE", f"{path} is no {kind.name.lower()} key file")
    with _derive(passphrase, head) as key:
        try:
            opened = keys.decrypt_once(key, data[_HEAD_BYTES:], head)
        except RefusedError:
            raise RefusedError(
                "KEY_PASSPHRASE_WRONG", f"the passphrase does not open {path}", kind=Kind.FORBIDDEN
            ) from None
    if len(opened) != _SIZES[kind]:
        raise RefusedError("KEY_FILE", f"{path} holds a key of another length")
    return Secret(bytearray(opened))


def _derive(passphrase: Secret, head: bytes) -> Secret:
    buffer = bytearray(keys.KEY_BYTES)
    scrypt = Scrypt(salt=head[6:], length=keys.KEY_BYTES, n=2 ** head[5], r=8, p=1)
    scrypt.derive_into(passphrase.buffer, buffer)
    return Secret(buffer)


def make_decision_key(path: Path, passphrase: Secret, *, log2_cost: int = LOG2_COST) -> Ed25519PrivateKey:
    """Make an Ed25519 key, write it, and return it for the first signature."""
    with Secret.random(_SIZES[KeyKind.DECISION]) as seed:
        write_key(path, KeyKind.DECISION, seed, passphrase, log2_cost=log2_cost)
        return Ed25519PrivateKey.from_private_bytes(seed.buffer)


def make_share_key(path: Path, passphrase: Secret, *, log2_cost: int = LOG2_COST) -> bytes:
    """Make an HPKE key, write it, and return its public key."""
    private, public = hpke.generate()
    with private:
        write_key(path, KeyKind.SHARE, private, passphrase, log2_cost=log2_cost)
    return public


def read_decision_key(path: Path, passphrase: Secret) -> Ed25519PrivateKey:
    """Read an Ed25519 key; see `read_key`."""
    with read_key(path, KeyKind.DECISION, passphrase) as seed:
        return Ed25519PrivateKey.from_private_bytes(seed.buffer)


def passphrase_of(file: Path | None, beside: Path | None, whose: str) -> Secret:
    """Return a passphrase: of the named file, of a file beside the key, or typed in.

    Args:
        file: Named on the command line.
        beside: Where a throwaway mesh keeps it.
        whose: For the question.

    Raises:
        RefusedError: `KEY_PASSPHRASE_MISSING`: nobody is there to ask. Those of `read_secret_file`.
    """
    path = file or (beside if beside is not None and beside.exists() else None)
    if path is not None:
        return Secret(bytearray(read_secret_file(path, "passphrase file").rstrip(b"\r\n")))
    if not sys.stdin.isatty():
        raise RefusedError(
            "KEY_PASSPHRASE_MISSING",
            f"the keys of {whose} have a passphrase: name its file with --passphrase-file",
            kind=Kind.PRECONDITION,
            field="passphrase-file",
        )
    return Secret(bytearray(getpass.getpass(f"Passphrase of {whose}: ").encode()))


def new_passphrase(folder: Path | None, whose: str) -> Secret:
    """Return the passphrase for new keys: of a file in `folder` named after the person, or typed twice.

    Args:
        folder: Holds one file a person, `<role>-<name>`; None asks.
        whose: `<role>-<name>`.

    Raises:
        RefusedError: `KEY_PASSPHRASE_SHORT`, `KEY_PASSPHRASE_DIFFERS`, and those of `passphrase_of`.
    """
    if folder is not None:
        chosen = passphrase_of(folder / whose, None, whose)
    else:
        chosen = passphrase_of(None, None, whose)
        with passphrase_of(None, None, f"{whose}, again") as again:
            if again != chosen:
                raise RefusedError("KEY_PASSPHRASE_DIFFERS", "the two passphrases differ: start again")
    if len(chosen) < MIN_PASSPHRASE:
        raise RefusedError(
            "KEY_PASSPHRASE_SHORT", f"a passphrase has {MIN_PASSPHRASE} bytes or more; take several words"
        )
    return chosen
