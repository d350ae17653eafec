"""Sample documents: valid ones of each kind, to be signed by a throwaway PKI or bent into attacks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from garim.documents import sign
from garim.documents.fields import write_instant
from garim.statements import strict_json
from garim.testing.pki import AUTHORITY, COURT

if TYPE_CHECKING:
    from garim.testing.pki import DocumentPki

AUDIENCE = "TEST 가림메신저"
RECIPIENT = "age184wfd0xy2dc9hddvl6nd88qd75gmgufus56vnd4luqvxfy5czpcsuv0qjf"
"""An age recipient whose private key nobody here keeps."""

_HOUR_MS = 60 * 60 * 1000
_DAY_MS = 24 * _HOUR_MS


def millis(pki: DocumentPki) -> int:
    """Return a PKI's time in milliseconds since 1970."""
    return int(pki.now.timestamp()) * 1000


def common(pki: DocumentPki, **changes: str) -> dict[str, str]:
    """Return the fields of every kind, issued an hour before the PKI's time.

    Args:
        pki: Whose time counts.
        changes: Fields that differ.
    """
    fields = {
        "audience": AUDIENCE,
        "authority": AUTHORITY,
        "court": COURT,
        "number": "2026-압수-0001",
        "case_number": "2026형제00001",
        "issued_at": write_instant(millis(pki) - _HOUR_MS),
    }
    return fields | changes


def disclosure(pki: DocumentPki, **changes: Any) -> dict[str, Any]:
    """Return the JSON members of a first request for the day before yesterday.

    Args:
        pki: Whose time counts.
        changes: Members that differ.
    """
    end = millis(pki) - _DAY_MS
    members = {
        "format": "garim-document/1",
        "kind": "disclosure",
        **common(pki),
        "offence": "drugs",
        "warrant_type": "search-and-seizure-stored",
        "subjects": [{"kind": "account", "value": "subject-1"}],
        "period": {"from": write_instant(end - _DAY_MS), "to": write_instant(end)},
        "mode": "sealed",
        "expires_at": None,
        "recipient": RECIPIENT,
        "acknowledger": hashlib.sha256(b"acknowledger").hexdigest(),
    }
    return members | changes


def _proof() -> dict[str, Any]:
    return {"leaf_index": 1, "tree_size": 2, "hashes": ["ab" * 32]}


def supplementary(pki: DocumentPki, **changes: Any) -> dict[str, Any]:
    """Return the JSON members of a second request for one pseudonym; its proofs prove nothing.

    Args:
        pki: Whose time counts.
        changes: Members that differ.
    """
    members = {
        "format": "garim-document/1",
        "kind": "supplementary",
        **common(pki, number="2026-압수-0002"),
        "first_document": "11" * 32,
        "dossier": "22" * 16,
        "identities": [
            {
                "pseudonym": "P-7K4Q2-M9XAT",
                "sealed_sha256": "33" * 32,
                "proof": _proof(),
                "grounds": [
                    {
                        "message": "C3-0127",
                        "pseudonyms": ["P-7K4Q2-M9XAT", "PHONE-22222-33333"],
                        "content_sha256": "44" * 32,
                        "proof": _proof(),
                    }
                ],
            }
        ],
        "recipient": RECIPIENT,
        "acknowledger": hashlib.sha256(b"acknowledger").hexdigest(),
    }
    return members | changes


def preservation(pki: DocumentPki, **changes: Any) -> dict[str, Any]:
    """Return the JSON members of an order to keep the day before yesterday for thirty days.

    Args:
        pki: Whose time counts.
        changes: Members that differ.
    """
    end = millis(pki) - _DAY_MS
    members = {
        "format": "garim-document/1",
        "kind": "preservation",
        **common(pki, number="2026-보전-0001"),
        "subjects": [{"kind": "account", "value": "subject-1"}],
        "period": {"from": write_instant(end - _DAY_MS), "to": write_instant(end)},
        "until": write_instant(millis(pki) + 30 * _DAY_MS),
    }
    return members | changes


def emergency(pki: DocumentPki, **changes: Any) -> dict[str, Any]:
    """Return the JSON members of an emergency request to keep the day before yesterday for a day and a half.

    Args:
        pki: Whose time counts.
        changes: Members that differ.
    """
    end = millis(pki) - _DAY_MS
    members = {
        "format": "garim-document/1",
        "kind": "emergency-preservation",
        **common(pki, number="2026-긴급-0001"),
        "subjects": [{"kind": "account", "value": "subject-1"}],
        "period": {"from": write_instant(end - _DAY_MS), "to": write_instant(end)},
        "until": write_instant(millis(pki) + 35 * _HOUR_MS),
        "urgency": "TEST 생명에 대한 급박한 위험",
    }
    return members | changes


def revocation(pki: DocumentPki, revoked: bytes, **changes: Any) -> dict[str, Any]:
    """Return the JSON members of a revocation of a first request.

    Args:
        pki: Whose time counts.
        revoked: Payload of the document taken back.
        changes: Members that differ.
    """
    members = {
        "format": "garim-document/1",
        "kind": "revocation",
        **common(pki, number="2026-철회-0001"),
        "revokes": {
            "authority": AUTHORITY,
            "number": "2026-압수-0001",
            "sha256": hashlib.sha256(revoked).hexdigest(),
        },
        "reason": "TEST 사건 종결",
    }
    return members | changes


def payload(members: dict[str, Any]) -> bytes:
    """Return members as payload bytes, unchecked: attacks need wrong ones."""
    return strict_json.dump(members)


def signed_alone(pki: DocumentPki, members: dict[str, Any]) -> bytes:
    """Return a document signed by the chief investigator alone."""
    return sign.sign_document(payload(members), pki.chief.signer)


def signed(pki: DocumentPki, members: dict[str, Any]) -> bytes:
    """Return a document signed by the judge and the chief investigator."""
    return sign.sign_document(payload(members), pki.judge.signer, pki.chief.signer)
