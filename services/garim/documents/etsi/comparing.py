"""A request held against what the court allowed, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from garim.documents.claims import Claims
from garim.statements.refusal import RefusedError


def wider(field: str) -> RefusedError:
    """Return the refusal of a request that asks for more than the court allowed."""
    return RefusedError(
        "REQUEST_WIDER", "the request asks for more than the court's document allows", field=field
    )


def differs(field: str) -> RefusedError:
    """Return the refusal of a request that says something else than the court."""
    return RefusedError(
        "REQUEST_DIFFERS", "the request says something else than the court's document", field=field
    )


def compare(allowed: Claims, asked: Claims) -> list[RefusedError]:
    """Return how a request goes beyond, or differs from, what the court allowed, field by field.

    Args:
        allowed: What the court's document says.
        asked: What the request says.
    """
    if allowed.kind != asked.kind:
        return [differs("kind")]
    reasons = []
    for name, field in type(allowed).model_fields.items():
        label = field.alias or name
        court, agency = getattr(allowed, name), getattr(asked, name)
        if name not in _NARROWER:
            if court != agency:
                reasons.append(differs(label))
        elif not _NARROWER[name](court, agency):
            reasons.append(wider(label))
    return reasons


_NARROWER: dict[str, Callable[[Any, Any], bool]] = {
    "subjects": lambda court, agency: set(agency) <= set(court),
    "identities": lambda court, agency: set(agency) <= set(court),
    "period": lambda court, agency: court.start_ms <= agency.start_ms and agency.end_ms <= court.end_ms,
    "expires_ms": lambda court, agency: court is None or (agency is not None and agency <= court),
    "until_ms": lambda court, agency: agency <= court,
}
"""Fields in which a request may be narrower: whether it is not wider."""
