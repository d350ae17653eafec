"""JSON as statements and documents use it: closed, unambiguous, without floats (RFC 8259, RFC 7493)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from garim.statements.refusal import RefusedError

MAX_DEPTH = 32
_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}\Z")
MAX_SAFE_INTEGER = 2**53 - 1


def _refuse_number(_text: str) -> NoReturn:
    # The text is not repeated: it may be somebody's number.
    raise RefusedError("JSON_NUMBER", "a fraction, exponent or infinity is refused: write whole numbers")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > MAX_SAFE_INTEGER:
        raise RefusedError("JSON_NUMBER", "a whole number lies outside -(2^53-1) to 2^53-1")
    if text == "-0":
        raise RefusedError("JSON_NUMBER", "negative zero is refused: write 0")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        # Only what can be a member of one of our formats is named: other keys may be anybody's data.
        field = twice if _MEMBER.match(twice) else ""
        raise RefusedError("JSON_DUPLICATE_KEY", "a key occurs twice in one object", field=field)
    return members


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RefusedError("JSON_DEPTH", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise RefusedError("JSON_ENCODING", "a string holds half of a surrogate pair") from None
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)


def parse_object(data: bytes, *, max_bytes: int = 16 * 1024 * 1024) -> dict[str, Any]:
    """Parse exactly one JSON object.

    Args:
        data: UTF-8 bytes without a byte-order mark.
        max_bytes: Larger input is refused before it is read.

    Raises:
        RefusedError: `JSON_SIZE`, `JSON_ENCODING`, `JSON_SYNTAX`, `JSON_NUMBER` (floats, infinities, numbers
            outside the safe range), `JSON_DUPLICATE_KEY`, `JSON_DEPTH` or `JSON_NOT_OBJECT`.
    """
    if len(data) > max_bytes:
        raise RefusedError("JSON_SIZE", f"larger than {max_bytes} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise RefusedError("JSON_ENCODING", f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise RefusedError("JSON_DEPTH", f"nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise RefusedError("JSON_SYNTAX", f"not JSON at character {error.pos}: {error.msg}") from None
    if not isinstance(value, dict):
        raise RefusedError("JSON_NOT_OBJECT", "the outermost value is not an object")
    # Half a surrogate pair comes only from an escape, and nesting needs brackets: most input needs no walk.
    if b"\\u" in data or data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check(value, 0)
    return value


def dump(value: Any) -> bytes:
    """Return `value` as compact UTF-8 JSON with sorted keys: how our own statements are first written.

    Raises:
        ValueError: `value` holds a NaN or an infinity.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
