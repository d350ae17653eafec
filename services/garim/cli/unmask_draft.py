"""The second request's payload from an opened package: pseudonyms, grounds, and proofs of both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from garim.documents import draft
from garim.dossier.opening import OpenedDossier
from garim.dossier.verification import IdentityProof, MessageProof, prove_identities, prove_messages
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError

MAX_GROUNDS = 5


def grounds_for(dossier: OpenedDossier, pseudonym: str, limit: int = MAX_GROUNDS) -> list[str]:
    """Return the first messages in which a pseudonym stands, where the applicant named none.

    Args:
        dossier: The opened package.
        pseudonym: As it stands there.
        limit: At most so many.
    """
    found = []
    for line in dossier.messages():
        if pseudonym in line.pseudonyms():
            found.append(line.number)
            if len(found) == limit:
                break
    return found


def draft_unmask(
    dossier: OpenedDossier,
    receipt: DossierReceipt,
    wanted: Mapping[str, Sequence[str]],
    common: Mapping[str, str],
    *,
    recipient: str,
    acknowledger: str,
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return the payload of a second request, and the sealed identities that lie beside it.

    Args:
        dossier: The opened package, verified against the receipt by the caller.
        receipt: Its verified receipt.
        wanted: Pseudonyms with the messages that ground each.
        common: See `documents.draft`; authority and case number must be the first document's.
        recipient: age public key.
        acknowledger: SHA-256 of the certificate that signs for the answer.

    Raises:
        RefusedError: `DOSSIER_MODE`, `GROUND_MISSING`, `GROUND_PSEUDONYM`, those of proofs and draft.
    """
    if receipt.mode == "erased":
        raise RefusedError("DOSSIER_MODE", "an erased dossier holds no identities that could be asked for")
    identities = prove_identities(dossier, list(wanted))
    numbers = sorted({number for grounds in wanted.values() for number in grounds})
    messages = {proof.number: proof for proof in prove_messages(dossier, numbers)}
    named = [
        _named(proof, [messages[number] for number in sorted(set(wanted[proof.pseudonym]))], receipt)
        for proof in identities
    ]
    payload = draft.draft_supplementary(
        common,
        first_document=receipt.document,
        dossier=receipt.dossier,
        identities=named,
        recipient=recipient,
        acknowledger=acknowledger,
    )
    return payload, [(proof.pseudonym, proof.sealed) for proof in identities]


def _proof(index: int, size: int, path: Sequence[bytes]) -> dict[str, Any]:
    return {"leaf_index": index, "tree_size": size, "hashes": [node.hex() for node in path]}


def _named(identity: IdentityProof, grounds: list[MessageProof], receipt: DossierReceipt) -> dict[str, Any]:
    if not grounds:
        raise RefusedError(
            "GROUND_MISSING", "name the messages that ground the request", field=identity.pseudonym
        )
    if any(identity.pseudonym not in ground.pseudonyms for ground in grounds):
        raise RefusedError(
            "GROUND_PSEUDONYM", "a message given as ground does not hold the pseudonym",
            field=identity.pseudonym,
        )  # fmt: skip
    return {
        "pseudonym": identity.pseudonym,
        "sealed_sha256": hashlib.sha256(identity.sealed).hexdigest(),
        "proof": _proof(identity.index, receipt.identities, identity.path),
        "grounds": [
            {
                "message": ground.number,
                "pseudonyms": list(ground.pseudonyms),
                "content_sha256": ground.content.hex(),
                "proof": _proof(ground.index, receipt.messages, ground.path),
            }
            for ground in grounds
        ],
    }
