"""The one error type of the domain: what was refused, why, and what to do."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What sort of refusal it is; `garim.kit` maps each to one gRPC status."""

    INVALID = "invalid"
    """The input is wrong and stays wrong: a bad field, a bad signature."""
    FORBIDDEN = "forbidden"
    """This caller may not, whatever it sends."""
    NOT_FOUND = "not-found"
    """What the request names does not exist (or the caller may not know that it does)."""
    EXISTS = "exists"
    """It was done before with other contents."""
    PRECONDITION = "precondition"
    """The state of a case, dossier, request or mesh does not allow it now."""
    EXHAUSTED = "exhausted"
    """Over capacity or budget; where time helps, the message says how long."""
    UNAVAILABLE = "unavailable"
    """A peer, the log or the database does not answer; the same call may succeed later."""
    DATA_LOSS = "data-loss"
    """Stored or received bytes fail their integrity check."""


class RefusedError(Exception):
    """A refusal with a machine-readable reason.

    Args:
        reason: UPPER_SNAKE reason from the error catalogue in `protos/README.md`.
        message: One sentence for people: what is wrong and what to do. Never holds message content,
            names, numbers or other identifiers of people.
        kind: What sort of refusal it is.
        field: Path of the offending field, where there is one (`subjects[0].value`).
        retry_after_s: When the same call may succeed, in seconds from now; 0 where time does not help or is
            not known.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        kind: Kind = Kind.INVALID,
        field: str = "",
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(f"{reason}: {message}" + (f" (field {field})" if field else ""))
        self.reason = reason
        self.message = message
        self.kind = kind
        self.field = field
        self.retry_after_s = retry_after_s


class RefusedWithReasonsError(RefusedError):
    """A refusal that carries every reason found, not only the first.

    Args:
        reasons: The single refusals, in the order they were found; at least one.
    """

    def __init__(self, reasons: list[RefusedError]) -> None:
        first = reasons[0]
        super().__init__(first.reason, first.message, kind=first.kind, field=first.field)
        self.reasons = tuple(reasons)


def reasons_of(error: RefusedError) -> list[RefusedError]:
    """Return every reason of a refusal."""
    return list(error.reasons) if isinstance(error, RefusedWithReasonsError) else [error]


def raise_all(reasons: list[RefusedError]) -> None:
    """Refuse for every reason that was found; nothing happens where there is none.

    Args:
        reasons: In the order they were found.

    Raises:
        RefusedError: The only reason, or all in a `RefusedWithReasonsError`.
    """
    if len(reasons) == 1:
        raise reasons[0]
    if reasons:
        raise RefusedWithReasonsError(reasons)
