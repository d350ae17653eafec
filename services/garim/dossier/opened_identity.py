"""An identity that custody released, and what stood behind each of its masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garim.dossier.commitments import OPENING_BYTES, SENDER, original_commitment
from garim.statements.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class OpenedIdentity:
    """What one sealed identity held.

    Args:
        facts: What is known of the person or value: type, value, a person's account, names, phones, emails.
        opening: Secret that opens the commitments of this pseudonym's masks.
        originals: Every spelling that was masked by it.
        mesh: Name of the mesh.
    """

    facts: Mapping[str, Any]
    opening: bytes
    originals: tuple[str, ...]
    mesh: str

    @classmethod
    def from_object(cls, value: Mapping[str, Any], mesh: str) -> OpenedIdentity:
        """Read the JSON object that was sealed; see `sealed_object`.

        Raises:
            RefusedError: `ANSWER_IDENTITY`.
        """
        facts = dict(value)
        try:
            opening, originals = bytes.fromhex(facts.pop("opening")), tuple(facts.pop("originals"))
        except (KeyError, TypeError, ValueError):
            opening, originals = b"", ()
        if len(opening) != OPENING_BYTES or not all(isinstance(one, str) for one in originals):
            raise RefusedError("ANSWER_IDENTITY", "an identity does not say what was masked", field="opening")
        return cls(facts, opening, originals, mesh)

    @property
    def name(self) -> str:
        """What a transcript shows for it: a person's name and account, or the value."""
        names = self.facts.get("names")
        if isinstance(names, list) and names:
            return f"{names[0]} ({self.facts.get('account')})"
        return str(self.facts.get("value", ""))

    def original(self, number: str, place: int, commitment: str) -> str | None:
        """Return the characters that stood behind a mask, or None where no known spelling fits.

        Args:
            number: The message's citable number.
            place: Position of the mask among the message's masks.
            commitment: As the mask states it.
        """
        for one in self.originals:
            if self._commits(number, place, one) == commitment:
                return one
        return None

    def sent(self, number: str, commitment: str | None) -> bool:
        """Tell whether this person's account sent a message.

        Args:
            number: The message's citable number.
            commitment: As the message's sender states it.
        """
        return self._commits(number, SENDER, str(self.facts.get("account"))) == commitment

    def _commits(self, number: str, place: int | str, original: str) -> str:
        return original_commitment(self.opening, self.mesh, number, place, original).hex()


def sealed_object(facts: Mapping[str, Any], opening: bytes, originals: Sequence[str]) -> dict[str, Any]:
    """Return the JSON object that is sealed behind a pseudonym."""
    return {**facts, "opening": opening.hex(), "originals": sorted(originals)}
