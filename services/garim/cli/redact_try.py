"""Lines as they would leave: what `garim redact try` finds and shows."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from rich.text import Text

from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.mask import mask
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garim.masking.mask import Masked

_STYLES = {
    InfoType.PERSON: "black on bright_yellow",
    InfoType.PHONE: "black on bright_cyan",
    InfoType.EMAIL: "black on bright_green",
    InfoType.RRN: "white on red",
    InfoType.FRN: "white on red",
    InfoType.CARD: "white on magenta",
    InfoType.BANK_ACCOUNT: "white on magenta",
}
_OTHER = "white on blue"


class Trial:
    """Masks line after line as one dossier would: one value, one pseudonym.

    Args:
        participants: Names and nicks of who takes part.
        sender: Who writes the lines; takes part too.
        subject: Whose own name stays readable.
    """

    def __init__(self, participants: Sequence[str], sender: str = "", subject: str = "") -> None:
        names = dict.fromkeys(name for name in (*participants, sender, subject) if name)
        people = [Person(name, "", (name,), subject=name == subject) for name in names]
        self._engine = Engine(people, open_names=EveryName())
        self._table = PseudonymTable(secrets.token_bytes)

    def masked(self, line: str) -> Masked:
        """Return a line as it would leave.

        Args:
            line: One line, as somebody wrote it.
        """
        (findings,) = self._engine.find([line])
        return mask(line, findings, self._table)


def coloured(masked: Masked) -> Text:
    """Return a masked line with a colour for each type; the pseudonym itself says the type too.

    Args:
        masked: The line.
    """
    text = Text(masked.text)
    for span in masked.spans:
        text.stylize(_STYLES.get(span.type, _OTHER), span.start, span.end)
    return text


def legend(types: Sequence[InfoType]) -> Text:
    """Return the colours of these types.

    Args:
        types: What was found.
    """
    return Text(" ").join(Text(f" {one.value} ", style=_STYLES.get(one, _OTHER)) for one in types)


def as_object(masked: Masked) -> dict[str, Any]:
    """Return a masked line for programs, without what stood there.

    Args:
        masked: The line.
    """
    spans = [
        {"start": span.start, "end": span.end, "type": span.type.value, "pseudonym": span.pseudonym}
        for span in masked.spans
    ]
    return {"text": masked.text, "spans": spans}
