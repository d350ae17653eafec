"""What an attempt is given and what it says: JSON objects between the service and its child process."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from garim.statements.grants import Masking, Period, Subject
from garim.statements.model import Base64, Closed, Count, Digest, EpochId


class Place(Closed):
    """A place in a message, without its text.

    Args:
        segment: Segment id in hexadecimal.
        message: Position of the message in the segment.
        start: First code point of the original text.
        end: Code point behind the last.
    """

    segment: EpochId
    message: Count
    start: Count
    end: Count


class Hold(Closed):
    """A place that people must judge.

    Args:
        place: Where it is.
        reason: Why: what sort of form was found.
    """

    place: Place
    reason: str


class Job(Closed):
    """One attempt.

    Args:
        settings: Path of the redaction service's settings file.
        purpose: `read` for a dossier, `preserve` for a preservation order.
        dossier: Id of the dossier; of the order, for a preservation.
        public_key: HPKE public key of the dossier; empty in erased mode and for a preservation.
        grant: SHA-256 of the grant's payload.
        ticket: Custody's scope ticket, a DSSE envelope as JSON, in base64.
        governance: The governance document in force, in base64.
        subjects: Whom the document names.
        period: The exact time asked for.
        mode: `sealed` or `erased`.
        masking: How policy has the dossier masked.
        recipient: The age public key.
        authority: Who asked.
        case_number: The investigation.
        number: The document's number.
        package: Path of the encrypted package to write.
        lifted: Places whose holds are lifted.
        document: The preservation order as received and its media type; empty for a dossier.
        media_type: Media type of the order.
        logged_grant: The order's grant with its proof, serialised, in base64; empty for a dossier.
    """

    settings: str
    purpose: Literal["read", "preserve"]
    dossier: EpochId
    public_key: Base64
    grant: Digest
    ticket: Base64
    governance: Base64
    subjects: tuple[Subject, ...]
    period: Period
    mode: Literal["sealed", "erased"]
    masking: Masking = Masking()
    recipient: str
    authority: str
    case_number: str
    number: str
    package: str
    lifted: tuple[Place, ...]
    document: Base64 = ""
    media_type: str = ""
    logged_grant: Base64 = ""


class Figures(Closed):
    """How much a finished dossier holds.

    Args:
        messages: Messages handed over.
        conversations: Conversations.
        subjects: Subjects' accounts seen.
        bystanders: Masked people.
        pseudonyms: Pseudonyms, people and values together.
        opaque: Secret-chat messages that exist but cannot be read.
        package_bytes: Size of the encrypted package.
    """

    messages: Count
    conversations: Count
    subjects: Count
    bystanders: Count
    pseudonyms: Count
    opaque: Count
    package_bytes: Count


class Progress(Closed):
    """How far the attempt is.

    Args:
        event: Names the kind of event.
        stage: `rosters`, `masking`, `scanning` or `preserving`.
        done: Units done.
    """

    event: Literal["progress"] = "progress"
    stage: str
    done: Count


class Account(Closed):
    """A store's logged account of an epoch, for the service to check against its pin.

    Args:
        event: Names the kind of event.
        body: The statement's payload, in base64.
        proof: Its log proof as a serialised message, in base64.
    """

    event: Literal["account"] = "account"
    body: Base64
    proof: Base64


class Packed(Closed):
    """The package is durable, and the attempt has overwritten its secrets.

    Args:
        event: Names the kind of event.
        sealed_secret: The sealing secret, sealed to custody, in base64; empty in erased mode.
        package: SHA-256 of the encrypted package.
        identities_root: Merkle root of the identities.
        identities: How many.
        messages_root: Merkle root of the messages.
        figures: How much it holds.
    """

    event: Literal["packed"] = "packed"
    sealed_secret: Base64
    package: Digest
    identities_root: Digest
    identities: Count
    messages_root: Digest
    figures: Figures


class Held(Closed):
    """The attempt ended with places that people must judge.

    Args:
        event: Names the kind of event.
        holds: The places.
    """

    event: Literal["held"] = "held"
    holds: Annotated[tuple[Hold, ...], Field(min_length=1)]


class Preserved(Closed):
    """The scope of a preservation order is kept.

    Args:
        event: Names the kind of event.
        segments: How many segments' keys custody keeps for it.
    """

    event: Literal["preserved"] = "preserved"
    segments: Count


class Restart(Closed):
    """A roster appeared after the first pass: the attempt must start again.

    Args:
        event: Names the kind of event.
    """

    event: Literal["restart"] = "restart"


class Failed(Closed):
    """The attempt was refused something.

    Args:
        event: Names the kind of event.
        reason: Why.
        message: For people.
        kind: What sort of refusal.
        field: Where.
    """

    event: Literal["failed"] = "failed"
    reason: str
    message: str
    kind: str
    field: str


Event = Progress | Account | Packed | Held | Preserved | Restart | Failed
EVENTS: dict[str, type[Event]] = {
    "progress": Progress,
    "account": Account,
    "packed": Packed,
    "held": Held,
    "preserved": Preserved,
    "restart": Restart,
    "failed": Failed,
}
