"""What a text says in an encoding: percent signs, HTML entities, base64."""

from __future__ import annotations

import base64
import binascii
import html
import re
import urllib.parse
from collections.abc import Iterator

_PERCENT = re.compile(r"[\w.+-]{0,64}(?:%[0-9A-Fa-f]{2}[\w.+-]{0,64}){1,200}")
_ENTITIES = re.compile(
    r"(?:[^\s&]{0,64}&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});){1,200}[^\s&]{0,64}"
)
_SHORTEST_BASE64 = 11
_BASE64 = re.compile(
    r"(?<![\w+/-])(?=[a-z+/_-]*[A-Z0-9])[A-Za-z0-9+/_-]{11,4096}={0,2}(?![\w+/=-])", re.ASCII
)


def decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield stretches that are encoded text, with what they say.

    Args:
        text: As it was written: case matters in base64.
    """
    if "%" in text:
        for match in _PERCENT.finditer(text):
            yield match.start(), match.end(), urllib.parse.unquote_plus(match[0])
    if "&" in text:
        for match in _ENTITIES.finditer(text):
            yield match.start(), match.end(), html.unescape(match[0])
    if any(len(word) >= _SHORTEST_BASE64 for word in text.split()):
        for match in _BASE64.finditer(text):
            if plain := _from_base64(match[0].rstrip("=")):
                yield match.start(), match.end(), plain


def _from_base64(text: str) -> str:
    standard = text.replace("-", "+").replace("_", "/")
    try:
        plain = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return plain if plain.isprintable() else ""
