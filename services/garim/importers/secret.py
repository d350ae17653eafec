"""A secret chat kept beside an export: blocks that were encrypted end to end, which nobody here can read.

The file's first line is `garim-secret-chat 1`, the second `members` and the accounts, then one block a line:
time (RFC 3339), sender's account, base64. Fields are parted by tabs; lines that begin with `#` are comments.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garim.importers.lines import ChatFile, refuse_empty, refuse_line
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST = "garim-secret-chat 1"


@dataclass(frozen=True, slots=True)
class SecretBlock:
    """One message of a secret chat.

    Args:
        at_ms: Milliseconds since the epoch, UTC.
        sender: Account of the sender.
        block: The encrypted bytes.
    """

    at_ms: int
    sender: str
    block: bytes


@dataclass(frozen=True, slots=True)
class SecretChat:
    """A secret chat.

    Args:
        members: Accounts of its members.
        blocks: Its messages, in the order of the file.
    """

    members: tuple[str, ...]
    blocks: tuple[SecretBlock, ...]


def read_secret(path: Path) -> SecretChat:
    """The secret chat in a file.

    Args:
        path: The file.

    Raises:
        RefusedError: CHAT_FORMAT_UNKNOWN, CHAT_LINE, CHAT_ENCODING, CHAT_EMPTY, CHAT_FILE.
    """
    lines = ((number, text) for number, text in ChatFile(path) if text and not text.startswith("#"))
    if next(lines, (0, ""))[1] != _FIRST:
        raise RefusedError(
            "CHAT_FORMAT_UNKNOWN",
            f"the file is no secret chat; its first line must be `{_FIRST}`",
            field="format",
        )
    number, listing = next(lines, (2, ""))
    word, *members = listing.split("\t")
    if word != "members" or len(set(members)) < 2 or not all(members):
        raise refuse_line(
            number, "must name the members: `members` and at least two accounts, parted by tabs"
        )
    blocks = tuple(_blocks(lines, frozenset(members)))
    if not blocks:
        raise refuse_empty()
    return SecretChat(tuple(members), blocks)


def _blocks(lines: Iterator[tuple[int, str]], members: frozenset[str]) -> Iterator[SecretBlock]:
    for number, text in lines:
        fields = text.split("\t")
        if len(fields) != 3 or fields[1] not in members:
            raise refuse_line(number, "must hold a time, the account of a member and a block, parted by tabs")
        try:
            at = dt.datetime.fromisoformat(fields[0])
            block = base64.b64decode(fields[2], validate=True)
        except (ValueError, binascii.Error):
            raise refuse_line(number, "must hold a time as in RFC 3339 and a block in base64") from None
        if at.tzinfo is None or at < _EPOCH or not block:
            raise refuse_line(
                number, "must hold a time with its offset from UTC and a block that is not empty"
            )
        yield SecretBlock((at - _EPOCH) // dt.timedelta(milliseconds=1), fields[1], block)
