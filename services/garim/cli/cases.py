"""Cases at warrants, as clerks and reviewers work with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from garim.api.common.v1 import statement_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.cli.session import Session
from garim.documents.media_types import media_type_of
from garim.statements.refusal import Kind, RefusedError

PATIENCE_S = 15.0
_PAUSE_S = 0.5
AnswerT = TypeVar("AnswerT")

STATES = {
    warrants_pb2.CASE_STATE_REFUSED: "refused",
    warrants_pb2.CASE_STATE_NO_DATA: "no-data",
    warrants_pb2.CASE_STATE_IN_REVIEW: "in-review",
    warrants_pb2.CASE_STATE_GRANTED: "granted",
    warrants_pb2.CASE_STATE_CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a document.

    Attributes:
        state: Where its case stands.
        case: Id of the case; empty where none was opened.
        unmask_request: Custody's request, for a second document.
        reasons: All reasons of a refusal.
        refusal: Id of the record of a refusal before a case was opened; a letter is written from it.
    """

    state: str
    case: bytes
    unmask_request: bytes
    reasons: list[RefusedError] = field(default_factory=list)
    refusal: bytes = b""


def reasons_from(messages: list[statement_pb2.Reason]) -> list[RefusedError]:
    """Return reasons as refusals."""
    return [RefusedError(one.reason, one.message, field=one.field) for one in messages]


def submit(own: Session, content: bytes, attachments: list[bytes]) -> Submitted:
    """Hand a document in.

    Args:
        own: A clerk's session.
        content: The signed document.
        attachments: Sealed identities that it names, in order of its sorted pseudonyms.

    Raises:
        RefusedError: The service does not answer or has no place for it; a refused document is an answer.
    """
    document = statement_pb2.Document(
        media_type=media_type_of(content), content=content, attachments=attachments
    )
    request = warrants_pb2.SubmitDocumentRequest(document=document)
    answer = patiently(lambda: own.warrants.SubmitDocument(request))
    return Submitted(
        STATES.get(answer.state, "unknown"),
        answer.case_id,
        answer.unmask_request_id,
        reasons_from(list(answer.reasons)),
        answer.refusal_id,
    )


def patiently(call: Callable[[], AnswerT], patience_s: float = PATIENCE_S) -> AnswerT:
    """Repeat an idempotent call while a peer is unavailable: after a start, services wait for each other.

    Args:
        call: What to repeat.
        patience_s: How long, in seconds.

    Raises:
        RefusedError: What the call refuses, at last.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return call()
        except RefusedError as error:
            if error.kind is not Kind.UNAVAILABLE or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_S)


def case_id(text: str) -> bytes:
    """Read a case's (or request's) id.

    Raises:
        RefusedError: `ID_FORM`.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 16:
        raise RefusedError("ID_FORM", "an id has 32 hexadecimal digits", field="id")
    return value
