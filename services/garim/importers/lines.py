"""Lines of a chat file, one at a time, with their numbers; and the refusals that name them."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING

from garim.statements.refusal import Kind, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 1 << 20
"""Longest line that is read; KakaoTalk and IRC stay far below."""

_BOM = codecs.BOM_UTF8
_FOREIGN_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def refuse_line(number: int, what: str) -> RefusedError:
    """The refusal of one line.

    Args:
        number: The line's number, from 1.
        what: What is wrong and what to do, without anything of the line itself.
    """
    return RefusedError("CHAT_LINE", f"line {number} of the chat file {what}", field=f"line[{number}]")


def refuse_encoding(number: int) -> RefusedError:
    """The refusal of bytes that are no UTF-8.

    Args:
        number: The number of the line that holds them, from 1.
    """
    return RefusedError(
        "CHAT_ENCODING",
        f"line {number} of the chat file is not UTF-8; export the chat again, or convert the file to UTF-8",
        field=f"line[{number}]",
    )


def refuse_empty() -> RefusedError:
    """The refusal of a file without any message."""
    return RefusedError("CHAT_EMPTY", "the chat file holds no message; export the chat again")


def decode_line(raw: bytes, number: int) -> str:
    """One line as text.

    Args:
        raw: Its bytes, without the line's end.
        number: Its number, from 1.

    Raises:
        RefusedError: CHAT_ENCODING for bytes that are no UTF-8, CHAT_LINE for a NUL among them.
    """
    if b"\x00" in raw:
        raise refuse_line(number, "holds a NUL byte, so the file is no text or was damaged; export it again")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse_encoding(number) from None


class ChatFile:
    """The lines of one file, read as a stream.

    Args:
        path: The file.

    Raises:
        RefusedError: CHAT_FILE where it cannot be opened, CHAT_EMPTY where it has no bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        try:
            self.bytes_total = path.stat().st_size
            if path.is_dir():
                raise IsADirectoryError
            with path.open("rb") as stream:
                self.head = stream.read(1 << 16)
        except OSError as error:
            kind = Kind.NOT_FOUND if isinstance(error, FileNotFoundError) else Kind.INVALID
            raise RefusedError(
                "CHAT_FILE",
                f"the chat file cannot be read ({type(error).__name__}); check the path and its permissions",
                kind=kind,
                field="path",
            ) from None
        if not self.head.removeprefix(_BOM).strip():
            raise refuse_empty()
        if self.head.startswith(_FOREIGN_BOMS):
            raise refuse_encoding(1)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Number (from 1) and text of each line; an end of LF or CRLF, and a byte-order mark, left out.

        Raises:
            RefusedError: CHAT_LINE for an overlong line or a NUL byte, CHAT_ENCODING for what is not UTF-8.
        """
        self.bytes_read = 0
        number = 0
        with self.path.open("rb") as stream:
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(raw) > MAX_LINE_BYTES:
                    raise refuse_line(
                        number, f"is longer than {MAX_LINE_BYTES} bytes; this is no chat export"
                    )
                self.bytes_read += len(raw)
                if number == 1:
                    raw = raw.removeprefix(_BOM)
                yield number, decode_line(raw.removesuffix(b"\n").removesuffix(b"\r"), number)
