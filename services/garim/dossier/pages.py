"""A page of messages ready for the package: what a worker makes of it, and what of it is kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garim.dossier import transcript
from garim.dossier.archive import Part, deflate
from garim.dossier.book import Book
from garim.dossier.commitments import SALT_BYTES, content_digest, message_leaf
from garim.dossier.lines import MessageLine, conversation_of
from garim.dossier.outline import PAGE_MESSAGES
from garim.translog.tree import hash_leaf


@dataclass(frozen=True, slots=True)
class MadePage:
    """One page of messages, compressed and committed to.

    Args:
        lines: Its stretch of `messages.jsonl`.
        salts: Its stretch of `commitments/salts.txt`.
        html: Its page of the transcript.
        leaves: The messages' leaf hashes, joined.
    """

    lines: Part
    salts: Part
    html: Part
    leaves: bytes


def read_page(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return a page's messages as they stand in its exact bytes.

    Args:
        lines: Encoded by `lines.LineWriter`, which makes no line that `MessageLine` would refuse.
    """
    read: list[dict[str, Any]] = json.loads(b"[" + b",".join(lines) + b"]")
    return read


def make_page(
    room: int,
    page: int,
    lines: Sequence[bytes],
    messages: Sequence[Mapping[str, Any]],
    book: Book,
    random_bytes: Callable[[int], bytes],
) -> MadePage:
    """Make a page of a conversation.

    Args:
        room: Number of the conversation.
        page: Number of the page, from 1.
        lines: Its encoded messages, without line ends.
        messages: The same from `read_page`.
        book: The transcript's.
        random_bytes: Draws the messages' salts.
    """
    drawn = random_bytes(SALT_BYTES * len(lines))
    salts = [drawn[at : at + SALT_BYTES] for at in range(0, len(drawn), SALT_BYTES)]
    leaves = [
        hash_leaf(message_leaf(message["number"], pseudonyms_of(message), content_digest(salt, line)))
        for line, message, salt in zip(lines, messages, salts, strict=True)
    ]
    listed = "".join(salt.hex() + "\n" for salt in salts).encode()
    return MadePage(
        lines=deflate(b"\n".join(lines) + b"\n"),
        salts=deflate(listed, zlib.Z_HUFFMAN_ONLY),
        html=deflate(transcript.room_page(room, page, messages, book)),
        leaves=b"".join(leaves),
    )


def pseudonyms_of(message: Mapping[str, Any]) -> list[str]:
    """Return all pseudonyms in a message, sorted, each once: what `MessageLine.pseudonyms` returns."""
    sender = message["sender"]["pseudonym"]
    if not message["masks"]:
        return [sender] if sender else []
    found = {mask["pseudonym"] for mask in message["masks"]}
    return sorted(found | {sender}) if sender else sorted(found)


def pages_of(lines: Iterable[bytes]) -> Iterator[tuple[int, int, list[MessageLine]]]:
    """Cut ordered message lines into transcript pages.

    Yields:
        Conversation, page number, and the page's messages.
    """
    page: list[MessageLine] = []
    number = 1
    for line in lines:
        message = MessageLine.from_bytes(line)
        if page and conversation_of(page[0].number) != conversation_of(message.number):
            yield conversation_of(page[0].number), number, page
            page, number = [], 1
        elif len(page) == PAGE_MESSAGES:
            yield conversation_of(page[0].number), number, page
            page, number = [], number + 1
        page.append(message)
    if page:
        yield conversation_of(page[0].number), number, page
