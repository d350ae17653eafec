"""Between protobuf, which only carries bytes, and the domain's values; nothing is verified here."""

from __future__ import annotations

from typing import NamedTuple

from garim.api.common.v1 import statement_pb2
from garim.statements import dsse
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError
from garim.translog.proven import LogProof

ROOT_BYTES = 32


class Logged(NamedTuple):
    """A statement whose payload is logged, with the proof; neither is verified yet."""

    statement: dsse.Envelope
    proof: LogProof


class Received(NamedTuple):
    """A document as it was received, with what lies beside it; nothing is verified yet."""

    media_type: str
    content: bytes
    attachments: tuple[bytes, ...]


def envelope_from(message: statement_pb2.Envelope) -> dsse.Envelope:
    """Return the envelope that a message carries."""
    return dsse.Envelope(
        message.payload_type,
        message.payload,
        tuple(dsse.Signature(one.keyid, one.sig) for one in message.signatures),
    )


def envelope_to(envelope: dsse.Envelope) -> statement_pb2.Envelope:
    """Return the message that carries an envelope."""
    return statement_pb2.Envelope(
        payload_type=envelope.payload_type,
        payload=envelope.payload,
        signatures=[statement_pb2.Signature(keyid=one.keyid, sig=one.sig) for one in envelope.signatures],
    )


def proof_from(message: statement_pb2.LogProof) -> LogProof:
    """Return the log proof that a message carries."""
    return LogProof(message.leaf, message.salt, message.index, tuple(message.path), message.checkpoint)


def proof_to(proof: LogProof) -> statement_pb2.LogProof:
    """Return the message that carries a log proof."""
    return statement_pb2.LogProof(
        leaf=proof.leaf, salt=proof.salt, index=proof.index, path=proof.path, checkpoint=proof.checkpoint
    )


def logged_from(message: statement_pb2.LoggedStatement, *, field: str = "") -> Logged:
    """Return the statement and the proof that a message carries.

    Args:
        message: What was received.
        field: Path of the message in the request, for a refusal.

    Raises:
        RefusedError: `FIELD_MISSING`: the statement or its proof is not set.
    """
    for name in ("statement", "proof"):
        if not message.HasField(name):
            path = f"{field}.{name}" if field else name
            raise RefusedError(
                "FIELD_MISSING", "a logged statement is a statement with its proof", field=path
            )
    return Logged(envelope_from(message.statement), proof_from(message.proof))


def logged_to(statement: dsse.Envelope, proof: LogProof) -> statement_pb2.LoggedStatement:
    """Return the message that carries a statement with its proof."""
    return statement_pb2.LoggedStatement(statement=envelope_to(statement), proof=proof_to(proof))


def pin_from(message: statement_pb2.Pin) -> CheckpointSeen | None:
    """Return the pin that a message carries; None for size 0: the sender has none yet.

    Raises:
        RefusedError: `LOG_PIN`: the root does not fit the size.
    """
    if message.size == 0 and not message.root:
        return None
    if message.size == 0 or len(message.root) != ROOT_BYTES:
        raise RefusedError("LOG_PIN", "a pin is a size with its 32-byte root, or 0 without", field="pin")
    return CheckpointSeen(size=message.size, root=message.root.hex())


def pin_to(pin: CheckpointSeen | None) -> statement_pb2.Pin:
    """Return the message that carries a pin."""
    if pin is None:
        return statement_pb2.Pin()
    return statement_pb2.Pin(size=pin.size, root=bytes.fromhex(pin.root))


def document_from(message: statement_pb2.Document) -> Received:
    """Return the document that a message carries."""
    return Received(message.media_type, message.content, tuple(message.attachments))


def document_to(received: Received) -> statement_pb2.Document:
    """Return the message that carries a document."""
    return statement_pb2.Document(
        media_type=received.media_type, content=received.content, attachments=received.attachments
    )
