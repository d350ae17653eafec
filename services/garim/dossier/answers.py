"""Show a transcript with released identities opened."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from garim.dossier import package
from garim.dossier.opening import OpenedDossier
from garim.dossier.receipt import LoggedStatement, verify_statement_logged
from garim.statements import strict_json
from garim.statements.governance import Governance
from garim.statements.receipts import DossierReceipt, UnmaskAnswer
from garim.statements.refusal import RefusedError


def verify_answers(
    answers: Sequence[LoggedStatement],
    dossier: OpenedDossier,
    receipt: DossierReceipt,
    governance: Governance,
) -> dict[str, dict[str, object]]:
    """Return the released identities by pseudonym, each verified against the package.

    Args:
        answers: Custody's logged answers.
        dossier: The opened package.
        receipt: Its verified receipt.
        governance: The governance version in force, verified.

    Raises:
        RefusedError: `ANSWER_DOSSIER` (another dossier's), `ANSWER_IDENTITY` (not what was sealed), and those
            of the statement's verification.
    """
    sealed = {one.pseudonym: hashlib.sha256(one.sealed).hexdigest() for one in dossier.identities()}
    opened: dict[str, dict[str, object]] = {}
    for logged in answers:
        answer = UnmaskAnswer.verify(
            logged.statement, governance.keys_of("custody"), mesh=governance.mesh, now=None
        )
        verify_statement_logged(logged, governance, "identities-released", "custody")
        if answer.dossier != receipt.dossier:
            raise RefusedError("ANSWER_DOSSIER", "the answer belongs to another dossier", field="dossier")
        if sealed.get(answer.pseudonym) != answer.sealed:
            raise RefusedError("ANSWER_IDENTITY", "the answer is not about this package's sealed identity")
        opened[answer.pseudonym] = strict_json.parse_object(base64.b64decode(answer.identity))
    return opened


def parse_answers(data: bytes) -> list[LoggedStatement]:
    """Read the decrypted answer file.

    Raises:
        RefusedError: `ANSWER_FORMAT` and those of its parts.
    """
    value = strict_json.parse_object(data)
    if value.keys() != {"format", "answers"} or value["format"] != "garim-answers/1":
        raise RefusedError("ANSWER_FORMAT", "this is no garim-answers/1 file")
    if not isinstance(value["answers"], list):
        raise RefusedError("ANSWER_FORMAT", "must be a list", field="answers")
    return [LoggedStatement.from_json(one) for one in value["answers"]]


def write_answers(answers: Sequence[LoggedStatement]) -> bytes:
    """Return the answer file's bytes, to be encrypted to the recipient."""
    return strict_json.dump({"format": "garim-answers/1", "answers": [one.to_json() for one in answers]})


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
        opened: From `verify_answers`.
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
