"""Opening the key provider that settings name; loads no gRPC, because custody's opener uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from garim.kit.files import read_secret_file
from garim.kit.providers import KeyProvider
from garim.kit.providers.file import FileKeyProvider
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

if TYPE_CHECKING:
    from garim.kit.settings import KeyProviderSettings


def open_key_provider(settings: KeyProviderSettings, mesh: str) -> KeyProvider:
    """Open a key provider.

    Args:
        settings: Which provider, and where it is.
        mesh: Name of the mesh.

    Raises:
        RefusedError: As `FileKeyProvider`; `KEY_FILE_MODE`, `FILE_MISSING` or `KEY_PASSPHRASE_EMPTY` for the
            passphrase's file.
    """
    return open_file_provider(settings.folder, settings.passphrase_file, mesh)


def open_file_provider(folder: Path, passphrase_file: Path | None, mesh: str) -> KeyProvider:
    """Open the file provider.

    Args:
        folder: Folder of its objects.
        passphrase_file: File with its passphrase, if it has one.
        mesh: Name of the mesh.

    Raises:
        RefusedError: As `open_key_provider`.
    """
    if passphrase_file is None:
        return FileKeyProvider(folder, mesh)
    with _read_passphrase(passphrase_file) as passphrase:
        return FileKeyProvider(folder, mesh, passphrase)


def _read_passphrase(path: Path) -> Secret:
    passphrase = bytearray(read_secret_file(path, "passphrase file").rstrip(b"\r\n"))
    if not passphrase:
        raise RefusedError("KEY_PASSPHRASE_EMPTY", f"{path} is empty", kind=Kind.PRECONDITION)
    return Secret(passphrase)
