"""The root key that a passphrase stands for: scrypt (RFC 7914) with a salt and a check value in a file.

``"GKP1" ‖ log2 cost[1] ‖ salt[16] ‖ check``; the cost is zero, and nothing follows it, where there is no
passphrase.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from garim.kit.files import read_secret_file, sync_folder
from garim.kit.providers import KeyHandle
from garim.kit.providers.wrapping import unwrap_under, wrap_under
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GKP1"
SALT_BYTES = 16
ROOT_BYTES = 32
SCRYPT_LOG2_COST = 17
_COSTS = range(10, 21)
_CHECK = KeyHandle("provider", "check")


def open_root(
    path: Path,
    mesh: str,
    passphrase: Secret | None,
    random_bytes: Callable[[int], bytes],
    log2_cost: int,
) -> Secret | None:
    """Return the root key of a provider's folder, or None for one without passphrase.

    Args:
        path: The file that states how the root key is made; written if absent.
        mesh: Name of the mesh.
        passphrase: The passphrase, if the folder has one.
        random_bytes: Draws salt and ids.
        log2_cost: Cost for a new folder.

    Raises:
        RefusedError: `KEY_PASSPHRASE_WRONG`, `KEY_PASSPHRASE_MISSING`, `KEY_PASSPHRASE_UNUSED`,
            `KEY_FILE_MODE` or `KEY_FOLDER`.
    """
    if not path.exists():
        _write(path, _new_statement(mesh, passphrase, random_bytes, log2_cost))
    statement = read_secret_file(path, "key provider's file")
    head = len(MAGIC) + 1
    if statement[: len(MAGIC)] != MAGIC or len(statement) < head:
        raise _refused("KEY_FOLDER", f"{path} is no key provider's file")
    cost = statement[head - 1]
    if cost == 0:
        if passphrase is not None:
            raise _refused("KEY_PASSPHRASE_UNUSED", "these key objects have no passphrase: name none")
        return None
    if passphrase is None:
        raise _refused("KEY_PASSPHRASE_MISSING", "these key objects have a passphrase: name its file")
    if cost not in _COSTS:
        raise _refused("KEY_FOLDER", f"{path} states a cost outside 2^10 to 2^20")
    root = _derive(passphrase, statement[head : head + SALT_BYTES], cost)
    try:
        unwrap_under(root, mesh, _CHECK, statement[head + SALT_BYTES :], b"").wipe()
    except RefusedError:
        root.wipe()
        raise _refused("KEY_PASSPHRASE_WRONG", "the passphrase is not that of these key objects") from None
    return root


def _new_statement(
    mesh: str, passphrase: Secret | None, random_bytes: Callable[[int], bytes], log2_cost: int
) -> bytes:
    if passphrase is None:
        return MAGIC + b"\x00"
    salt = random_bytes(SALT_BYTES)
    with _derive(passphrase, salt, log2_cost) as root:
        check = wrap_under(root, mesh, _CHECK, b"", b"", random_bytes)
    return MAGIC + bytes([log2_cost]) + salt + check


def _derive(passphrase: Secret, salt: bytes, log2_cost: int) -> Secret:
    buffer = bytearray(ROOT_BYTES)
    Scrypt(salt=salt, length=ROOT_BYTES, n=2**log2_cost, r=8, p=1).derive_into(passphrase.buffer, buffer)
    return Secret(buffer)


def _write(path: Path, statement: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, statement)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    sync_folder(path.parent)


def _refused(reason: str, message: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION)
