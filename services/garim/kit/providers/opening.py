"""Opening the key provider that settings name."""

from __future__ import annotations

from pathlib import Path

from garim.kit.files import read_secret_file
from garim.kit.providers import KeyProvider
from garim.kit.providers.file import FileKeyProvider
from garim.kit.settings import KeyProviderSettings
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError


def open_key_provider(settings: KeyProviderSettings, mesh: str) -> KeyProvider:
    """Open a key provider.

    Args:
        settings: Which provider, and where it is.
        mesh: Name of the mesh.

    Raises:
        RefusedError: As `FileKeyProvider`; `KEY_FILE_MODE`, `FILE_MISSING` or `KEY_PASSPHRASE_EMPTY` for the
            passphrase's file.
    """
    if settings.passphrase_file is None:
        return FileKeyProvider(settings.folder, mesh)
    with _read_passphrase(settings.passphrase_file) as passphrase:
        return FileKeyProvider(settings.folder, mesh, passphrase)


def _read_passphrase(path: Path) -> Secret:
    passphrase = bytearray(read_secret_file(path, "passphrase file").rstrip(b"\r\n"))
    if not passphrase:
        raise RefusedError("KEY_PASSPHRASE_EMPTY", f"{path} is empty", kind=Kind.PRECONDITION)
    return Secret(passphrase)
