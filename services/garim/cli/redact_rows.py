"""What the redact commands read: rows of JSON, and who takes part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from garim.cli.files import read_input
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def json_rows(lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line that is not blank.

    Args:
        lines: JSON Lines in UTF-8.

    Raises:
        RefusedError: `ROW_MALFORMED`.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            raise RefusedError("ROW_MALFORMED", f"line {number} is not JSON in UTF-8") from None
        if not isinstance(row, dict):
            raise RefusedError("ROW_MALFORMED", f"line {number} is no JSON object")
        yield row


class Participants:
    """Who takes part: the same people everywhere, or those of each room.

    Args:
        asked: Names parted by commas; or a file: a name a line, a JSON list of names, or a JSON object with
            a list of names for each room. Empty: nobody.

    Raises:
        RefusedError: `PARTICIPANTS_FILE`, or those of `read_input`.
    """

    def __init__(self, asked: str) -> None:
        self._everywhere: tuple[str, ...] = ()
        self._rooms: dict[str, tuple[str, ...]] = {}
        if not asked or not Path(asked).is_file():
            self._everywhere = _names(asked.split(","))
            return
        content = _content(read_input(Path(asked), "participants file"))
        if isinstance(content, dict):
            self._rooms = {room: _names(names) for room, names in content.items()}
        else:
            self._everywhere = _names(content)

    @property
    def everybody(self) -> tuple[str, ...]:
        """Everyone who is named, in whatever room."""
        named = (name for names in self._rooms.values() for name in names)
        return tuple(dict.fromkeys((*self._everywhere, *named)))

    def of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a row's participants: its own, its room's, or everybody's.

        Args:
            row: `{participants?, room?}`.
        """
        own = row.get("participants")
        return tuple(own) if own else self._rooms.get(str(row.get("room")), self._everywhere)


def _content(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refuse_participants() from None
    if not text.lstrip().startswith(("[", "{")):
        return text.splitlines()
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise _refuse_participants() from None


def _names(found: Iterable[Any]) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise _refuse_participants()
    return tuple(dict.fromkeys(name.strip() for name in found if name.strip()))


def _refuse_participants() -> RefusedError:
    return RefusedError(
        "PARTICIPANTS_FILE",
        "a participants file is a name a line, a JSON list of names, or a JSON object of such lists by room",
        field="participants",
    )
