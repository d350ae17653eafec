"""Opening the key provider, in the service and in the opener, which loads no more than it needs."""

from __future__ import annotations

from pathlib import Path

from garim.kit.files import read_secret_file
from garim.kit.providers import KeyProvider
from garim.kit.providers.file import FileKeyProvider
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError


def open_provider(folder: Path, passphrase_file: Path | None, mesh: str) -> KeyProvider:
    """Open the file provider.

    Args:
        folder: Folder of its objects.
        passphrase_file: File with its passphrase, if it has one.
        mesh: Name of the mesh.

    Raises:
        RefusedError: Those of the provider and of its passphrase's file.
    """
    if passphrase_file is None:
        return FileKeyProvider(folder, mesh)
    data = read_secret_file(passphrase_file, "passphrase")
    with Secret(bytearray(data.rstrip(b"\r\n"))) as passphrase:
        return FileKeyProvider(folder, mesh, passphrase)


def demand_destroys_in_time(provider: KeyProvider, retention_ms: int) -> None:
    """Refuse a provider whose keys could outlive the retention.

    Args:
        provider: The provider.
        retention_ms: How long after an epoch's end its key may live.

    Raises:
        RefusedError: `KEY_PROVIDER_SLOW`.
    """
    if provider.destruction_delay_ms > retention_ms:
        raise RefusedError(
            "KEY_PROVIDER_SLOW",
            "the key provider destroys keys later than the retention allows: use another one",
            kind=Kind.PRECONDITION,
            field="keys",
        )
