"""Masked messages on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from garim.cli.output import out
from garim.dossier.lines import MessageLine, conversation_of
from garim.dossier.opening import OpenedDossier


def masked_text(line: MessageLine) -> Text:
    """Return a message's text with its masks set apart."""
    text = Text()
    at = 0
    for mask in line.masks:
        text.append(line.text[at : mask.start])
        text.append(line.text[mask.start : mask.end], style="black on yellow")
        at = mask.end
    text.append(line.text[at:])
    if not line.text:
        text.append(line.kind, style="dim")
    return text


def sender_of(line: MessageLine) -> str:
    """Return what stands for the sender."""
    return line.sender.pseudonym or line.sender.name or line.sender.account or ""


def chosen(dossier: OpenedDossier, conversation: int, limit: int) -> Iterator[MessageLine]:
    """Yield the messages of one conversation, or of all (0); at most `limit`, or all (0)."""
    count = 0
    for line in dossier.messages():
        if conversation and conversation_of(line.number) != conversation:
            continue
        yield line
        count += 1
        if count == limit:
            return


def messages_table(lines: Iterable[MessageLine]) -> Table:
    """Return messages as a table."""
    table = Table("number", "time (UTC)", "sender", "text", box=None, header_style="bold", pad_edge=False)
    for line in lines:
        style = "bold" if line.sender.pseudonym is None else "yellow"
        table.add_row(line.number, line.time[:16], Text(sender_of(line), style=style), masked_text(line))
    return table


def print_messages(dossier: OpenedDossier, conversation: int, limit: int, as_json: bool) -> None:
    """Print masked messages: a table for people, the package's own lines for programs."""
    lines = chosen(dossier, conversation, limit)
    if not as_json:
        out().print(messages_table(lines))
        return
    for line in lines:
        sys.stdout.write(line.to_bytes().decode() + "\n")
