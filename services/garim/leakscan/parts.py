"""The strings that a package's files hold, each with its place."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TAG = re.compile(r"<!--(.*?)-->|<([^>]*)>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TEXT_BEGINS, _TEXT_ENDS = b'<div class="text">', b"</div>"
_NOTICE_BEGINS, _NOTICE_ENDS = b'<span class="notice">', b"</span>"
_ANY_TAG = re.compile(rb"<[^>]*>")
_RANDOM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}|[A-Za-z0-9+/]{1024,}={0,2}")
"""Identifiers, digests and sealed values: nobody can read anything in them."""
_RANDOM_LINE = re.compile(rb"[0-9a-f]{32}(?:[0-9a-f]{32})?")


@dataclass(frozen=True, slots=True)
class Piece:
    """A string of a package.

    Args:
        field: Where in its line: a path of JSON names, an attribute, or `text`.
        line: Number of the line in its file, from 1; of an HTML page the line on which the string begins.
        start: First character on the line, where that is known; else 0.
        text: The string.
    """

    field: str
    line: int
    start: int
    text: str


def of_line(line: bytes, number: int, *, is_json: bool) -> Iterator[Piece]:
    """Yield the strings of one line of a file.

    Args:
        line: Without its end.
        number: From 1.
        is_json: Whether it is to be read as JSON.
    """
    if _RANDOM_LINE.fullmatch(line):
        return
    text = line.decode("utf-8", "replace")
    if is_json:
        try:
            value = json.loads(text)
        except ValueError:
            is_json = False
    found = _walk(value, "") if is_json else [("text", text)]
    for field, one in found:
        if not _RANDOM.fullmatch(one):
            yield Piece(field, number, 0, one)


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every string of a JSON value, its names too."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}(name)", name
            yield from _walk(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _walk(inner, f"{path}[{at}]")


def message_texts(page: bytes) -> Iterator[tuple[int, int, str, list[bytes]]]:
    """Yield where each message's text stands in a transcript page, what a reader sees there, and its tags."""
    start = page.find(_TEXT_BEGINS)
    while start >= 0:
        start += len(_TEXT_BEGINS)
        end = page.find(_TEXT_ENDS, start)
        if page.startswith(_NOTICE_BEGINS, start):
            start = page.find(_NOTICE_ENDS, start) + len(_NOTICE_ENDS)
            start += page.startswith(b" ", start)
        seen, tags = page[start:end], []
        if b"<" in seen:
            seen, tags = _ANY_TAG.sub(b"", seen), _ANY_TAG.findall(seen)
        text = seen.decode("utf-8", "replace")
        yield start, end, html.unescape(text) if "&" in text else text, tags
        start = page.find(_TEXT_BEGINS, end)


def of_markup(line: str, number: int) -> Iterator[Piece]:
    """Yield the strings of a line of HTML: its text, comments and attributes.

    Args:
        line: The line; a tag that goes on over lines counts as text.
        number: From 1.
    """
    at = 0
    for tag in _TAG.finditer(line):
        yield from _readable("text", line[at : tag.start()], number)
        at = tag.end()
        if tag[1] is not None:
            yield from _readable("comment", tag[1], number)
            continue
        for attribute in _ATTRIBUTE.finditer(tag[2]):
            value = attribute[2] if attribute[2] is not None else attribute[3]
            yield from _readable(attribute[1], value, number)
        yield from _readable("tag", _ATTRIBUTE.sub("", tag[2]), number)
    yield from _readable("text", line[at:], number)


def _readable(field: str, text: str, line: int) -> Iterator[Piece]:
    bare = text.strip()
    if bare:
        yield Piece(field, line, 0, html.unescape(bare) if "&" in bare else bare)
