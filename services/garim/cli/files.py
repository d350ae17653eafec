"""Files as the command line writes them: complete or not at all, and for their owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from garim.statements.refusal import Kind, RefusedError

MAX_INPUT_BYTES = 64 * 1024 * 1024


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file of mode 0600.

    Args:
        path: The file; its folder is made with mode 0700 where it does not exist.
        data: What it holds.
        replace: Whether an older one may be there.

    Raises:
        RefusedError: `FILE_EXISTS`.
    """
    if path.exists() and not replace:
        raise RefusedError("FILE_EXISTS", f"{path} exists: name another file", kind=Kind.EXISTS)
    with replacing(path) as target:
        target.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file of mode 0600 that appears under its name only when it is whole.

    Args:
        path: The file.
    """
    make_folder(path.parent)
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder of mode 0700 where there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_input(path: Path, what: str) -> bytes:
    """Read a file that a person named.

    Args:
        path: The file.
        what: What it should be, for the message.

    Raises:
        RefusedError: `FILE_MISSING`, `FILE_UNREADABLE` or `FILE_SIZE`.
    """
    try:
        if path.stat().st_size > MAX_INPUT_BYTES:
            raise RefusedError("FILE_SIZE", f"the {what} {path} is larger than 64 MiB")
        return path.read_bytes()
    except FileNotFoundError:
        raise RefusedError("FILE_MISSING", f"the {what} {path} does not exist", kind=Kind.NOT_FOUND) from None
    except OSError as error:
        raise RefusedError("FILE_UNREADABLE", f"the {what} {path}: {error.strerror}") from None


def give(out: Path | None, data: bytes) -> None:
    """Write data to a file, or to standard output where no file is named."""
    if out is None:
        import sys

        sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
        sys.stdout.buffer.flush()
    else:
        write_private(out, data, replace=True)
