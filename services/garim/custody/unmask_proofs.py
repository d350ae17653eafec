"""What a supplementary document must prove against the dossier's receipt. Pure: no I/O."""

from __future__ import annotations

import hashlib

from garim.custody.tables.dossiers import Dossier
from garim.documents.claims import InclusionProof, Supplementary, read_claims
from garim.documents.scope import identities_of
from garim.documents.verify import VerifiedDocument
from garim.dossier import commitments
from garim.statements import dsse
from garim.statements.grants import UnmaskGrant
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError


def demand_scope(grant: UnmaskGrant, document: VerifiedDocument, claims: Supplementary) -> None:
    """Refuse an unmask grant that says anything else than its document.

    Raises:
        RefusedError: `GRANT_SCOPE`, with the field that differs.
    """
    derived = {
        "document": document.identity,
        "document_issued": claims.issued_ms,
        "first": claims.first_document,
        "dossier": claims.dossier,
        "identities": identities_of(claims),
        "recipient": claims.recipient,
    }
    for field, value in derived.items():
        if getattr(grant, field) != value:
            raise RefusedError(
                "GRANT_SCOPE",
                "the grant says something else than its document",
                kind=Kind.FORBIDDEN,
                field=f"grant.{field}",
            )


def demand_first_document(dossier: Dossier, claims: Supplementary) -> None:
    """Refuse a second document that is not of the first one's authority and case.

    Raises:
        RefusedError: `FIRST_DOCUMENT`, with the field that differs.
    """
    first = read_claims(dossier.payload)
    expected = {
        "first_document": (claims.first_document, dossier.document_digest),
        "authority": (claims.authority, first.authority),
        "case_number": (claims.case_number, first.case_number),
    }
    for field, (given, wanted) in expected.items():
        if given != wanted:
            raise RefusedError(
                "FIRST_DOCUMENT",
                "it does not belong to the document under which the dossier was made",
                kind=Kind.FORBIDDEN,
                field=field,
            )


def demand_proven(
    dossier: Dossier, claims: Supplementary, attachments: tuple[bytes, ...]
) -> list[tuple[str, bytes]]:
    """Return the named pseudonyms with their sealed identities, sorted, all proven against the receipt.

    Args:
        dossier: The closed dossier.
        claims: What the document says.
        attachments: The sealed identities, in the order of the sorted pseudonyms.

    Raises:
        RefusedError: `PSEUDONYM_PROOF`, with the field that does not prove what it should.
    """
    receipt = DossierReceipt.from_bytes(dsse.from_bytes(dossier.receipt or b"{}").payload)
    named = sorted(claims.identities, key=lambda one: one.pseudonym)
    if len(named) != len(attachments):
        raise _unproven("attachments", "one sealed identity must lie beside the document for each pseudonym")
    for position, (one, sealed) in enumerate(zip(named, attachments, strict=True)):
        field = f"identities[{position}]"
        if hashlib.sha256(sealed).hexdigest() != one.sealed_sha256:
            raise _unproven(f"{field}.sealed_sha256", "the sealed identity is another one")
        _included(
            commitments.identity_leaf(one.pseudonym, sealed),
            one.proof,
            receipt.identities,
            receipt.identities_root,
            f"{field}.proof",
        )
        for ground in one.grounds:
            leaf = commitments.message_leaf(
                ground.message, list(ground.pseudonyms), bytes.fromhex(ground.content_sha256)
            )
            _included(leaf, ground.proof, receipt.messages, receipt.messages_root, f"{field}.grounds")
    return [(one.pseudonym, sealed) for one, sealed in zip(named, attachments, strict=True)]


def _included(leaf: bytes, proof: InclusionProof, size: int, root: str, field: str) -> None:
    if proof.tree_size != size:
        raise _unproven(field, "the proof is for another tree than the receipt's")
    path = [bytes.fromhex(one) for one in proof.hashes]
    try:
        commitments.verify_leaf(leaf, proof.leaf_index, size, path, bytes.fromhex(root))
    except RefusedError:
        raise _unproven(field, "it is not in the dossier that the receipt commits to") from None


def _unproven(field: str, why: str) -> RefusedError:
    return RefusedError("PSEUDONYM_PROOF", why, kind=Kind.FORBIDDEN, field=field)
