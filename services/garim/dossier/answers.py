"""Show a transcript with released identities opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from garim.dossier import package
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.opening import OpenedDossier
from garim.statements.refusal import RefusedError


def apply_answers(dossier: OpenedDossier, opened: Mapping[str, OpenedIdentity], folder: Path) -> None:
    """Write the transcript anew with the released identities shown; the package itself stays as it is.

    Args:
        dossier: The opened package.
        opened: From `answer_file.verify_answers`.
        folder: New folder for the pages.

    Raises:
        RefusedError: `PACKAGE_EXISTS` where the folder exists.
    """
    if folder.exists():
        raise RefusedError("PACKAGE_EXISTS", "the folder exists: name a new one", field="folder")
    folder.mkdir(parents=True, mode=0o700)

    def write(name: str, data: bytes) -> None:
        (folder / name).write_bytes(data)

    package.render_transcript(dossier.about, dossier.raw_lines, dossier.opaque, write, opened)
