"""Reading files that hold secrets, and refusing those that others can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from garim.statements.refusal import Kind, RefusedError

MAX_FILE_BYTES = 1024 * 1024


def read_file(path: Path, what: str) -> bytes:
    """Read a file that settings name.

    Args:
        path: The file.
        what: What it is, for the message: `certificate`.

    Raises:
        RefusedError: `FILE_MISSING`, `FILE_UNREADABLE` or `FILE_SIZE`.
    """
    descriptor = _open(path, what)
    try:
        return _read(descriptor, path, what)
    finally:
        os.close(descriptor)


def read_secret_file(path: Path, what: str) -> bytes:
    """Read a file that holds a secret; its owner alone may have any right to it.

    A file of root's may be readable to its group, as Kubernetes mounts secrets for a user of the container
    (PostgreSQL takes its server's key so, too). The rights are those of the opened file, so that it cannot be
    exchanged in between.

    Args:
        path: The file.
        what: What it is, for the message: `private key`.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING`, `FILE_UNREADABLE` or `FILE_SIZE`.
    """
    descriptor = _open(path, what)
    try:
        status = os.fstat(descriptor)
        if not _is_mounted(status):
            check_private(status, path, what)
        return _read(descriptor, path, what)
    finally:
        os.close(descriptor)


def check_private(status: os.stat_result, path: Path, what: str) -> None:
    """Refuse a file or folder to which anybody but its owner has a right, or that somebody else owns.

    Raises:
        RefusedError: `KEY_FILE_MODE`.
    """
    if status.st_uid != os.geteuid():
        raise _refused("KEY_FILE_MODE", f"the {what} {path} belongs to another user: change its owner")
    if stat.S_IMODE(status.st_mode) & 0o077:
        wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise _refused("KEY_FILE_MODE", f"others may read the {what} {path}: run chmod {wanted} on it")


def _is_mounted(status: os.stat_result) -> bool:
    """Tell whether this is a file of root's that its group may read, and we are not root."""
    return status.st_uid == 0 and os.geteuid() != 0 and not stat.S_IMODE(status.st_mode) & 0o037


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, what: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _refused("FILE_MISSING", f"the {what} {path} does not exist") from None
    except OSError as error:
        raise _refused("FILE_UNREADABLE", f"the {what} {path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _refused("FILE_UNREADABLE", f"the {what} {path} is no file")
    return descriptor


def _read(descriptor: int, path: Path, what: str) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MAX_FILE_BYTES:
        raise _refused("FILE_SIZE", f"the {what} {path} is larger than 1 MiB")
    return os.read(descriptor, MAX_FILE_BYTES)


def _refused(reason: str, message: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION)
