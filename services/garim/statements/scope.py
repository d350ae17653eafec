"""Scope tickets and forecasts: what the store may match, and how much it found."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from garim.statements.grants import Period
from garim.statements.model import Closed, Count, Digest, EpochId, Millis, Name, Statement, payload_type


class EpochTags(Closed):
    """The blinded tags of a document's subjects in one epoch.

    Args:
        epoch: The epoch whose index key made the tags.
        tags: HMAC tags in hexadecimal, sorted; never the identifiers.
    """

    epoch: EpochId
    tags: Annotated[tuple[Digest, ...], Field(min_length=1)]


class ScopeTicket(Statement):
    """Custody's statement of all that the store may match for one document and one purpose.

    Args:
        ticket: Random id.
        document: SHA-256 of the document's payload.
        grant: SHA-256 of the grant's payload; null for a forecast, which needs none.
        period: Sent-at span.
        received_until: Nothing received after this (the document's issue) is covered.
        until: When the preservation order ends, until which the store keeps what it matches; null for every
            other purpose.
        epochs: Tags of each retained or preserved epoch that the period touches, sorted by epoch.
        destroyed_epochs: How many epochs of the period are past retention.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("scope-ticket")

    purpose: Literal["forecast", "read", "preserve"]
    expires: Millis
    ticket: EpochId
    document: Digest
    grant: Digest | None
    period: Period
    received_until: Millis
    until: Millis | None
    epochs: tuple[EpochTags, ...]
    destroyed_epochs: Count

    @model_validator(mode="after")
    def _keeps_for_an_order_alone(self) -> Self:
        if (self.purpose == "preserve") != (self.until is not None):
            raise ValueError("`until` is for preservation orders, all of them and nothing else")
        return self


class Forecast(Statement):
    """How much a scope ticket matches, rounded up to 1-2-5 steps; for reviewers only.

    Args:
        store: Which message store counted.
        document: SHA-256 of the document's payload.
        ticket: SHA-256 of the ticket's payload; its tags are not kept.
        messages: Upper bound of messages in matched segments.
        conversations: Upper bound of conversations, across epochs.
        bystanders: Upper bound of accounts that are not subjects.
        opaque: Upper bound of secret-chat segments among them.
        conversation_tags: The blinded tags of the matched conversations, sorted.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("forecast")

    purpose: Literal["forecast"]
    store: Name
    document: Digest
    ticket: Digest
    messages: Count
    conversations: Count
    bystanders: Count
    opaque: Count
    conversation_tags: tuple[Digest, ...]


def round_up(count: int) -> int:
    """Return the smallest of 0, 1, 2, 5, 10, 20, 50, … that is not below `count`."""
    if count == 0:
        return 0
    power: int = 10 ** (len(str(count)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= count)
