"""The opener's processes: a zygote that never holds an open key, and a short-lived child for each job.

The zygote has no gRPC, no database and no network; it holds the key provider: a root key at most, where the
objects have a passphrase.
"""

from __future__ import annotations

import functools
import socket
import sys
from pathlib import Path

from garim.custody import work
from garim.kit import zygote
from garim.kit.hardening import harden_process
from garim.kit.providers.opening import open_file_provider
from garim.statements.refusal import Kind, RefusedError

JOB_TIMEOUT_S = 50.0


class OpenerProcess(zygote.Zygote):
    """The service's end: a `ports.Opener` whose work is done in child processes.

    Args:
        folder: Folder of the key provider that the children open.
        passphrase_file: File with its passphrase, if it has one.
        mesh: Name of the mesh.
    """

    def __init__(self, folder: Path, passphrase_file: Path | None, mesh: str) -> None:
        passphrase = [str(passphrase_file)] if passphrase_file else []
        super().__init__(
            "garim.custody.opener",
            [mesh, str(folder), *passphrase],
            failed=_failed,
            timeout_s=JOB_TIMEOUT_S,
        )


def _failed(_status: int | None) -> RefusedError:
    return RefusedError(
        "OPENER_FAILED", "the process that opens keys gives no answer: try again", kind=Kind.UNAVAILABLE
    )


def main() -> None:
    """Run the zygote: ``python -m garim.custody.opener DESCRIPTOR MESH FOLDER [PASSPHRASE_FILE]``."""
    harden_process()
    descriptor, mesh, folder, *passphrase = sys.argv[1:]
    try:
        provider = open_file_provider(Path(folder), Path(passphrase[0]) if passphrase else None, mesh)
    except RefusedError as refusal:
        sys.stderr.write(f"garim-custody-opener: {refusal.reason}: {refusal.message}\n")
        raise SystemExit(2) from None
    with socket.socket(fileno=int(descriptor)) as control:
        zygote.serve(control, functools.partial(work.perform, provider=provider), timeout_s=JOB_TIMEOUT_S)


if __name__ == "__main__":
    main()
