"""What warrants says of a case: its status on demand, and that there is nothing to hand over."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from garim.statements.model import Digest, EpochId, Millis, Statement, payload_type

CaseState = Literal["refused", "no-data", "in-review", "granted", "cancelled", "delivered"]


class CaseStatus(Statement):
    """The state of a case at the time of asking.

    Args:
        case: Id of the case.
        document: SHA-256 of the document's payload.
        state: Where the case stands; only `granted` lets anything go on.
        nonce: What the asker sent, in hexadecimal; an answer to another question counts nothing.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("case-status")

    purpose: Literal["case-status"]
    expires: Millis
    case: EpochId
    document: Digest
    state: CaseState
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\Z")]


class NoData(Statement):
    """The answer to an applicant for whom there is nothing; it never says why.

    Args:
        case: Id of the case.
        document: SHA-256 of the document's payload.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("no-data")

    purpose: Literal["no-data"]
    case: EpochId
    document: Digest
