"""Building payloads: what a court and a chief investigator then sign."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from garim.documents import claims
from garim.statements import strict_json
from garim.statements.refusal import RefusedError


def normalise_identifier(kind: str, value: str) -> str:
    """Return an identifier in the form that documents demand.

    Args:
        kind: `account`, `phone` or `email`.
        value: As a person wrote it; a phone number with a leading 0 is taken for a Korean one.

    Raises:
        RefusedError: `FIELD_VALUE`: no such number.
    """
    text = unicodedata.normalize("NFC", value).strip()
    if kind == "email":
        return unicodedata.normalize("NFKC", text).lower()
    if kind != "phone":
        return text
    digits = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", text))
    if re.fullmatch(r"0[1-9][0-9]{7,9}", digits):
        digits = "+82" + digits[1:]
    if re.fullmatch(r"\+[1-9][0-9]{6,14}", digits) is None:
        raise RefusedError(
            "FIELD_VALUE", "not a phone number; write it like 010-0000-0000 or +8210…", field="value"
        )
    return digits


def draft(kind: str, common: Mapping[str, str], **fields: Any) -> bytes:
    """Return the payload of a document, checked as a receiver will check it.

    Args:
        kind: `disclosure`, `supplementary`, `preservation` or `revocation`.
        common: `audience`, `authority`, `court`, `number`, `case_number`, `issued_at`.
        fields: The kind's own fields, as its JSON has them.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    payload = strict_json.dump({"format": claims.FORMAT, "kind": kind, **common, **fields})
    claims.read_claims(payload)
    return payload


def draft_disclosure(
    common: Mapping[str, str],
    *,
    offence: str,
    warrant_type: str,
    subjects: Sequence[tuple[str, str]],
    period: tuple[str, str],
    recipient: str,
    acknowledger: str,
    mode: str = "sealed",
    expires_at: str | None = None,
) -> bytes:
    """Return the payload of a first request.

    Args:
        common: See `draft`.
        offence: Id in the operator's policy.
        warrant_type: Id in the operator's policy.
        subjects: Kind and value of each; values are normalised.
        period: First instant inside and first behind; RFC 3339 or bare dates.
        recipient: age public key.
        acknowledger: SHA-256 of the certificate that will sign the delivery receipt.
        mode: `sealed` or `erased`.
        expires_at: From when on the document opens nothing more; null for never.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    return draft(
        "disclosure",
        common,
        offence=offence,
        warrant_type=warrant_type,
        subjects=_subjects(subjects),
        period={"from": period[0], "to": period[1]},
        recipient=recipient,
        acknowledger=acknowledger,
        mode=mode,
        expires_at=expires_at,
    )


def draft_supplementary(
    common: Mapping[str, str],
    *,
    first_document: str,
    dossier: str,
    identities: Sequence[Mapping[str, Any]],
    recipient: str,
    acknowledger: str,
) -> bytes:
    """Return the payload of a second request.

    Args:
        common: See `draft`; authority and case number are the first document's.
        first_document: SHA-256 of the first document's payload.
        dossier: Id of the dossier.
        identities: `pseudonym`, `sealed_sha256`, `proof`, `grounds` of each.
        recipient: age public key.
        acknowledger: SHA-256 of the certificate that will sign the delivery receipt.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    return draft(
        "supplementary",
        common,
        first_document=first_document,
        dossier=dossier,
        identities=list(identities),
        recipient=recipient,
        acknowledger=acknowledger,
    )


def draft_preservation(
    common: Mapping[str, str], *, subjects: Sequence[tuple[str, str]], period: tuple[str, str], until: str
) -> bytes:
    """Return the payload of a preservation order.

    Args:
        common: See `draft`.
        subjects: Kind and value of each; values are normalised.
        period: First instant inside and first behind.
        until: When the order ends.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    return draft(
        "preservation",
        common,
        subjects=_subjects(subjects),
        period={"from": period[0], "to": period[1]},
        until=until,
    )


def draft_emergency(
    common: Mapping[str, str],
    *,
    subjects: Sequence[tuple[str, str]],
    period: tuple[str, str],
    until: str,
    urgency: str,
) -> bytes:
    """Return the payload of an emergency request, which the chief investigator signs alone.

    Args:
        common: See `draft`; the court is the one that will be asked.
        subjects: Kind and value of each; values are normalised.
        period: First instant inside and first behind.
        until: When it ends, 36 hours from its issue at most.
        urgency: Why no court could be asked before, for the record.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    return draft(
        "emergency-preservation",
        common,
        subjects=_subjects(subjects),
        period={"from": period[0], "to": period[1]},
        until=until,
        urgency=urgency,
    )


def draft_revocation(common: Mapping[str, str], *, number: str, sha256: str, reason: str) -> bytes:
    """Return the payload of a revocation.

    Args:
        common: See `draft`; `number` in it is the revocation's own.
        number: Number of the document to revoke, of the same authority.
        sha256: SHA-256 of that document's payload.
        reason: Why, for the record.

    Raises:
        RefusedError: As `claims.read_claims`.
    """
    revokes = {"authority": common["authority"], "number": number, "sha256": sha256}
    return draft("revocation", common, revokes=revokes, reason=reason)


def _subjects(subjects: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"kind": kind, "value": normalise_identifier(kind, value)} for kind, value in subjects]
