"""A stretch of the chat as it was stored, beside what the investigator reads."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from garim.cli.demo.chosen import Chosen
from garim.cli.dossier_view import masked_text, sender_of
from garim.dossier.lines import MessageLine
from garim.importers import Message

LINES = 9
Pair = tuple[Message, MessageLine]


def pairs_of(chosen: Chosen, lines: Sequence[MessageLine]) -> list[Pair]:
    """Return the chat's messages with their lines in the dossier, by the time they were sent."""
    by_time: dict[int, list[MessageLine]] = {}
    for line in lines:
        by_time.setdefault(line.at, []).append(line)
    pairs = []
    for message in chosen.originals:
        found = by_time.get(message.at_ms, ())
        own = message.sender == chosen.subject
        match = next((one for one in found if (one.sender.pseudonym is None) == own), None)
        if match is not None:
            pairs.append((message, match))
    return pairs


def best_stretch(pairs: Sequence[Pair], length: int = LINES) -> Sequence[Pair]:
    """Return the stretch that shows most: masks of several kinds, the subject, several people."""

    def worth(stretch: Sequence[Pair]) -> float:
        masks = [mask for _, line in stretch for mask in line.masks]
        people = {message.sender for message, _ in stretch}
        subject = any(line.sender.pseudonym is None for _, line in stretch)
        kinds = {mask.type for mask in masks}
        long = sum(max(0, len(message.text) - 60) for message, _ in stretch)
        return len(masks) + 3 * len(kinds) + len(people) + (5 if subject else 0) - long / 20

    starts = range(max(1, len(pairs) - length + 1))
    best = max(starts, key=lambda at: worth(pairs[at : at + length]), default=0)
    return pairs[best : best + length]


def side_by_side(chosen: Chosen, stretch: Sequence[Pair], *, width: int) -> Table:
    """Return the stretch as a table: as stored, as delivered."""
    table = Table("number", "as it was stored", "as the investigator reads it", pad_edge=False, width=width)
    table.columns[0].no_wrap = True
    for message, line in stretch:
        before = Text.assemble((chosen.name_of(message.sender), "bold"), f": {message.text or line.kind}")
        style = "bold" if line.sender.pseudonym is None else "black on yellow"
        after = Text.assemble((sender_of(line), style), ": ")
        after.append_text(masked_text(line))
        table.add_row(line.number, before, after)
    return table
