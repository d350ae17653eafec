"""What a decision's subject digest covers, one function for each kind of decision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from garim.statements.decisions import subject_digest
from garim.statements.labels import lp


def review(document: str, forecast: bytes, policy: str) -> str:
    """Return the subject of a reviewer's decision on a disclosure.

    Args:
        document: SHA-256 of the document's payload, hexadecimal.
        forecast: The forecast statement's payload.
        policy: SHA-256 of the policy file, hexadecimal.
    """
    return subject_digest(
        "review", bytes.fromhex(document), hashlib.sha256(forecast).digest(), bytes.fromhex(policy)
    )


def cancel(case: bytes, document: str) -> str:
    """Return the subject of a decision that cancels a case.

    Args:
        case: Id of the case, 16 bytes.
        document: SHA-256 of the document's payload, hexadecimal.
    """
    return subject_digest("cancel", case, bytes.fromhex(document))


def lift(document: str, holds: bytes) -> str:
    """Return the subject of a decision that lifts a case's holds.

    Args:
        document: SHA-256 of the document's payload, hexadecimal.
        holds: Canonical JSON of the list of holds.
    """
    return subject_digest("lift", bytes.fromhex(document), hashlib.sha256(holds).digest())


def unmask(
    *,
    request: bytes,
    dossier: bytes,
    grant: bytes,
    first: str,
    supplementary: str,
    recipient: str,
    filer: str,
    one_time_public: bytes,
    identities: Iterable[tuple[str, bytes]],
) -> str:
    """Return the subject of a custodian's decision on an unmasking.

    Args:
        request: Id of the request, 16 bytes.
        dossier: Id of the dossier, 16 bytes.
        grant: The unmask grant's payload.
        first: SHA-256 of the first document's payload, hexadecimal.
        supplementary: SHA-256 of the supplementary document's payload, hexadecimal.
        recipient: The age public key that the answer goes to.
        filer: Who filed the request with the operator.
        one_time_public: HPKE public key to which shares are re-sealed.
        identities: Pseudonyms with their sealed identities.
    """
    fields = [
        request,
        dossier,
        hashlib.sha256(grant).digest(),
        bytes.fromhex(first),
        bytes.fromhex(supplementary),
        recipient.encode(),
        filer.encode(),
        one_time_public,
    ]
    for pseudonym, sealed in sorted(identities):
        fields += [pseudonym.encode(), hashlib.sha256(sealed).digest()]
    return subject_digest("unmask", *fields)


def freeze(mesh: str) -> str:
    """Return the subject of a decision that freezes custody."""
    return subject_digest("freeze", mesh.encode())


def thaw(freeze_id: bytes) -> str:
    """Return the subject of a decision that ends one freeze.

    Args:
        freeze_id: Random id of the freeze, 16 bytes.
    """
    return subject_digest("thaw", freeze_id)


def transfer(
    *,
    dossier: bytes,
    custodian: str,
    successor: str,
    successor_public: bytes,
    shares: Iterable[tuple[tuple[str, ...], bytes, bytes]],
) -> str:
    """Return the subject of a leaving custodian's decision to hand their place in a dossier to a successor.

    Args:
        dossier: Id of the dossier, 16 bytes.
        custodian: Whose place in the subsets it is.
        successor: Who is to fill it.
        successor_public: Their HPKE public share key.
        shares: Of each subset its names, SHA-256 of the share, and the share sealed to the successor.
    """
    fields = [dossier, custodian.encode(), successor.encode(), successor_public]
    for subset, digest, sealed in sorted(shares):
        names = b"".join(lp(name.encode()) for name in subset)
        fields += [names, digest, hashlib.sha256(sealed).digest()]
    return subject_digest("transfer", *fields)


def acceptance(transfer_digest: bytes) -> str:
    """Return the subject of a successor's decision to accept an offered place.

    Args:
        transfer_digest: SHA-256 of the payload of the decision that offers it.
    """
    return subject_digest("accept", transfer_digest)
