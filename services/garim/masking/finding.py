"""One detected stretch of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garim.masking.infotype import InfoType


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a text that identifies somebody.

    Args:
        start: First code point of the stretch.
        end: Code point behind its last.
        type: What it is.
        value: Canonical value, equal for all spellings of one thing: for a PERSON the `Person.key`, for
            a person in no roster the normalised name.
        person: Key of the roster member whom it identifies, None where it is no member's.
    """

    start: int
    end: int
    type: InfoType
    value: str
    person: str | None

    def __repr__(self) -> str:
        """Show place and kind, never the value."""
        return f"Finding({self.start}, {self.end}, {self.type})"
