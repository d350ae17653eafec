"""A text with pseudonyms in place of its findings, and what stood there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from garim.masking.infotype import InfoType
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garim.masking.finding import Finding


@dataclass(frozen=True, slots=True)
class MaskedSpan:
    """One pseudonym in a masked text.

    Args:
        start: Its first code point in the masked text.
        end: The code point behind it.
        pseudonym: What stands there.
        type: The kind of value that it hides.
        original: The characters that stood there, as they were written.
    """

    start: int
    end: int
    pseudonym: str
    type: InfoType
    original: str

    def __repr__(self) -> str:
        """Show place and pseudonym, never the original."""
        return f"MaskedSpan({self.start}, {self.end}, {self.pseudonym!r})"


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text.

    Args:
        text: The text with pseudonyms.
        spans: Where they stand, in order.
    """

    text: str
    spans: tuple[MaskedSpan, ...]

    def restored(self) -> str:
        """Return the text as it was before masking."""
        parts: list[str] = []
        at = 0
        for span in self.spans:
            parts += (self.text[at : span.start], span.original)
            at = span.end
        return "".join(parts) + self.text[at:]


class Pseudonyms(Protocol):
    """Whoever gives pseudonyms: the attempt's table, or a worker's copy of a part of it."""

    def of(self, type: InfoType, value: str) -> str:  # noqa: A002 - the field's name for it
        """Return the pseudonym of a value."""


def value_of(finding: Finding) -> tuple[InfoType, str]:
    """Return what a finding is masked as: for a member's name or number the member.

    Args:
        finding: The finding.
    """
    if finding.person is not None:
        return InfoType.PERSON, finding.person
    if finding.type is InfoType.PERSON:
        return InfoType.PERSON, _NAMED + finding.value
    return finding.type, finding.value


def pseudonym_of(finding: Finding, table: Pseudonyms) -> str:
    """Return what stands for a finding.

    Args:
        finding: The finding.
        table: Gives pseudonyms.
    """
    return table.of(*value_of(finding))


_NAMED = "name:"
"""Keeps a name that is nobody's in the rosters apart from every `Person.key`."""


def mask(text: str, findings: Sequence[Finding], table: Pseudonyms) -> Masked:
    """Replace every finding in `text` by its pseudonym.

    Args:
        text: The text as it was written.
        findings: What the engine found in it: sorted, without overlap.
        table: Gives pseudonyms.

    Raises:
        RefusedError: `FINDINGS_OVERLAP`, findings are unsorted, overlap or lie outside the text.
    """
    if not findings:
        return Masked(text, ())
    parts: list[str] = []
    spans: list[MaskedSpan] = []
    at = length = 0
    for finding in findings:
        if not at <= finding.start < finding.end <= len(text):
            raise RefusedError(
                "FINDINGS_OVERLAP",
                "Findings must be sorted, apart and inside the text; pass them as they came.",
                field="findings",
            )
        pseudonym = pseudonym_of(finding, table)
        length += finding.start - at
        parts += (text[at : finding.start], pseudonym)
        spans.append(
            MaskedSpan(
                length, length + len(pseudonym), pseudonym, finding.type, text[finding.start : finding.end]
            )
        )
        length += len(pseudonym)
        at = finding.end
    parts.append(text[at:])
    return Masked("".join(parts), tuple(spans))
