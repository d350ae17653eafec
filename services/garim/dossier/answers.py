"""Show a transcript with released identities opened."""

from __future__ import annotations

from pathlib import Path

from garim.dossier import package
from garim.dossier.opening import OpenedDossier
from garim.statements.refusal import RefusedError


def shown_name(identity: dict[str, object]) -> str:
    """Return what a transcript shows for an opened identity: a person's name and account, or the value."""
    names = identity.get("names")
    if isinstance(names, list) and names:
        return f"{names[0]} ({identity.get('account')})"
    return str(identity.get("value", ""))


def apply_answers(dossier: OpenedDossier, opened: dict[str, dict[str, object]], folder: Path) -> None:
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
    names = {pseudonym: shown_name(identity) for pseudonym, identity in opened.items()}

    def write(name: str, data: bytes) -> None:
        (folder / name).write_bytes(data)

    package.render_transcript(dossier.about, dossier.raw_lines, dossier.opaque, write, names)
