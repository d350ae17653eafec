"""What custody signs: receipts of closed dossiers, opened identities, destruction certificates."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from garim.statements.grants import Masking
from garim.statements.model import (
    Base64,
    Closed,
    Count,
    Digest,
    EpochId,
    Millis,
    Name,
    Statement,
    payload_type,
)


class DossierReceipt(Statement):
    """A dossier is closed: from here on nothing releases keys for its document.

    Args:
        dossier: Its id.
        grant: SHA-256 of the disclosure grant's payload.
        document: SHA-256 of the document's payload.
        authority: The authority that asked.
        case_number: The investigation.
        mode: Whether identities were sealed or erased.
        package: SHA-256 of the encrypted package.
        package_bytes: Its size.
        identities_root: Merkle root over (pseudonym, sealed identity), sorted by pseudonym.
        identities: How many there are.
        messages_root: Merkle root over (number, pseudonyms in it, SHA-256(salt, content)).
        messages: How many there are.
        unmask_until: When the dossier's key is destroyed; null for an erased dossier.
        masking: How the grant, and policy, had it masked.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("dossier-receipt")

    purpose: Literal["receipt"]
    dossier: EpochId
    grant: Digest
    document: Digest
    authority: str
    case_number: str
    mode: Literal["sealed", "erased"]
    package: Digest
    package_bytes: Count
    identities_root: Digest
    identities: Count
    messages_root: Digest
    messages: Count
    unmask_until: Millis | None
    masking: Masking = Masking()


class UnmaskAnswer(Statement):
    """One identity, released by the shares of k custodians.

    Args:
        request: The unmask request.
        dossier: The dossier.
        pseudonym: As it stands there.
        identity: The sealed plaintext as it was sealed: JSON bytes, in base64.
        sealed: SHA-256 of the sealed identity.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("unmask-answer")

    purpose: Literal["unmask-answer"]
    request: EpochId
    dossier: EpochId
    pseudonym: str
    identity: Base64
    sealed: Digest


class ReleasedIdentity(Closed):
    """One identity that a release covers, without its value.

    Args:
        pseudonym: As it stands in the dossier.
        sealed: SHA-256 of the sealed identity.
    """

    pseudonym: str
    sealed: Digest


class IdentitiesReleased(Closed):
    """What custody logs before identities leave: which, to whom; never their values.

    Args:
        format: Names this layout.
        mesh: Name of the mesh.
        request: The unmask request.
        dossier: The dossier.
        recipient: The age public key that the answer is encrypted to.
        identities: What is released, sorted by pseudonym.
    """

    format: Literal["garim-identities-released/1"]
    mesh: Name
    request: EpochId
    dossier: EpochId
    recipient: str
    identities: tuple[ReleasedIdentity, ...]


class DestructionCertificate(Statement):
    """A key object was destroyed, and unwrapping under it was seen to fail.

    Args:
        kind: What the key was for.
        object: Id of the epoch, dossier, request or order.
        cause: Why it ended.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("destruction-certificate")

    purpose: Literal["destruction"]
    kind: Literal["epoch", "dossier", "unmask-request", "preservation-order"]
    object: EpochId
    cause: Annotated[str, Field(max_length=100)]


class EpochClosed(Statement):
    """A store's account of one closed epoch, so that a planted or missing segment shows.

    Args:
        store: Which message store.
        epoch: The epoch.
        head: Digest of the last write-secret record; where several processes stored, SHA-256 over the digests
            of the last records of their chains, in ascending order; null where nothing was stored.
        write_secrets: How many there were.
        segments: How many segments were stored.
        conversations: How many conversations they belong to.
        conversations_root: Merkle root over (conversation tag, segment count, SHA-256 of its segment headers'
            digests in order), sorted by tag.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("epoch-closed")

    purpose: Literal["epoch-closed"]
    store: Name
    epoch: EpochId
    head: Digest | None
    write_secrets: Count
    segments: Count
    conversations: Count
    conversations_root: Digest
