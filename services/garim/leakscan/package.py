"""The scan of a finished package, byte by byte as it leaves.

What is equal to a line that was scanned before, or to what a package says about nobody, is passed over;
whatever else a package holds is scanned. Nobody can lift what is found here: it stands in no message.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator

from garim.leakscan import parts
from garim.leakscan.found import Leak
from garim.leakscan.parts import Piece
from garim.leakscan.scan import LeakScan
from garim.leakscan.unzip import Unzip
from garim.statements.refusal import Kind, RefusedError

_MESSAGES = "messages.jsonl"
_BATCH = 1_000
_PSEUDONYM = re.compile(rb"[A-Z]+-[0-9A-Z]{5}-[0-9A-Z]{5}")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_MOST_SHAPES = 10_000
_VARIABLE = re.compile(
    r"(?P<P>[A-Z]+-[0-9A-Z]{5}-[0-9A-Z]{5})"
    r"|(?P<C>\bC\d{1,6}-\d{1,7}\b)"
    r"|(?P<T>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<D>\b\d{4}-\d\d(?:-\d\d)?(?![\d-]))"
    r"|(?P<H>\b\d\d:\d\d(?::\d\d)?\b)"
    r"|(?P<N>(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)|(?<!\d)\d{1,7}(?!\d))"
    r"|(?P<M>\b(?:application|audio|chemical|font|image|message|model|text|video)/[a-z0-9.+-]{1,60})"
)


def _form(text: str) -> str:
    """Return a string without what varies from package to package: pseudonyms, dates, short numbers."""
    return _VARIABLE.sub(lambda match: match.lastgroup or "", text)


class Scanned:
    """What the scan of lines has seen, in the package's order, as eight bytes for each line and each text.

    They are the interpreter's own keyed hashes: alike in an attempt and in the workers that it forks, and in
    no other process.

    Args:
        seen: Lines as they stand in `messages.jsonl`, each with the message's text.
    """

    def __init__(self, seen: Iterable[tuple[bytes, str]] = ()) -> None:
        self._lines = array("q")
        self._texts = array("q")
        for line, text in seen:
            self._lines.append(hash(line))
            self._texts.append(hash(text))

    def extend(self, behind: Scanned) -> None:
        """Take in what was seen behind it."""
        self._lines.extend(behind._lines)
        self._texts.extend(behind._texts)

    def is_line(self, place: int, line: bytes) -> bool:
        """Tell whether a line was scanned at its place, from 0."""
        return place < len(self._lines) and self._lines[place] == hash(line)

    def is_text(self, place: int, text: str) -> bool:
        """Tell whether a message's text was scanned at its place, from 0."""
        return place < len(self._texts) and self._texts[place] == hash(text)


class _Reader:
    """An archive's bytes as strings with their file.

    Args:
        scanned: Lines and texts to pass over.
        known: Tells whether a string may stand in any package.
        is_pseudonym: Tells whether a string is one of the attempt's pseudonyms.
    """

    def __init__(
        self, scanned: Scanned, known: Callable[[str], bool], is_pseudonym: Callable[[str], bool]
    ) -> None:
        self._scanned = scanned
        self._known = known
        self._is_pseudonym = is_pseudonym
        self._shapes: set[bytes] = set()
        self._unzip = Unzip()
        self._file = ""
        self._rest = b""
        self._line = 0
        self._messages = 0

    def feed(self, data: bytes) -> Iterator[tuple[str, Piece]]:
        """Yield the strings that the next bytes complete."""
        return self._pieces(self._unzip.feed(data))

    def close(self) -> None:
        """Demand that nothing stands behind the last entry."""
        self._unzip.close()

    def _pieces(self, entries: Iterable[tuple[str, bytes, bool]]) -> Iterator[tuple[str, Piece]]:
        for file, content, ends in entries:
            if file != self._file:
                self._file, self._rest, self._line = file, b"", 0
                yield file, Piece("name", 0, 0, file)
            self._rest += content
            for piece in self._complete(ends=ends):
                yield file, piece

    def _complete(self, *, ends: bool) -> Iterator[Piece]:
        if self._file.endswith(".html"):
            if ends:
                whole, self._rest = self._rest, b""
                yield from self._page(whole)
            return
        *lines, self._rest = self._rest.split(b"\n")
        if ends and self._rest:
            lines.append(self._rest)
            self._rest = b""
        is_json = self._file.endswith((".json", ".jsonl"))
        for line in lines:
            self._line += 1
            if self._file != _MESSAGES or not self._scanned.is_line(self._line - 1, line):
                yield from parts.of_line(line, self._line, is_json=is_json)

    def _page(self, data: bytes) -> Iterator[Piece]:
        """Yield a page's strings without the texts of messages that were scanned at their places.

        A line that differs from one seen before in pseudonyms and digits only says no more than that one did.
        Tags within those texts are looked at by themselves.
        """
        kept: list[bytes] = []
        tags: list[bytes] = []
        places: list[int] = []
        at = 0
        for start, end, text, within in parts.message_texts(data):
            if self._scanned.is_text(self._messages, text):
                kept += (data[at:start], b"\n" * data.count(b"\n", start, end))
                tags += within
                places += [start] * len(within)
                at = end
            self._messages += 1
        yield from self._unknown(b"".join((*kept, data[at:])), lambda line: line + 1)
        if tags:
            within_texts = b"\n".join(one.replace(b"\n", b" ") for one in tags)
            yield from self._unknown(within_texts, lambda tag: data.count(b"\n", 0, places[tag]) + 1)

    def _unknown(self, markup: bytes, line_of: Callable[[int], int]) -> Iterator[Piece]:
        """Yield the strings of lines of markup that do not belong to every package.

        Args:
            markup: The lines.
            line_of: Tells the line of the page for each of them, from 0.
        """
        shapes = _PSEUDONYM.sub(self._blanked, markup).translate(_DIGITS_ALIKE)
        for number, (line, shape) in enumerate(zip(markup.split(b"\n"), shapes.split(b"\n"), strict=True)):
            if shape in self._shapes:
                continue
            pieces = list(parts.of_markup(line.decode("utf-8", "replace"), line_of(number)))
            unknown = [piece for piece in pieces if not self._known(piece.text)]
            if not unknown and len(self._shapes) < _MOST_SHAPES:
                self._shapes.add(shape)
            yield from unknown

    def _blanked(self, match: re.Match[bytes]) -> bytes:
        return b"P" if self._is_pseudonym(match[0].decode()) else match[0]


def forms_of(package: bytes) -> frozenset[str]:
    """Return what a package says that is about nobody.

    Args:
        package: A whole archive made of nothing but invented messages.
    """
    forms: set[str] = set()

    def learned(text: str) -> bool:
        forms.add(_form(text))
        return True

    reader = _Reader(Scanned(), learned, lambda _: True)
    for _, piece in reader.feed(package):
        learned(piece.text)
    reader.close()
    return frozenset(forms)


class PackageScan:
    """Scans a package while it is written.

    Args:
        scan: Looks for leaks.
        scanned: What it has seen already.
        forms: From `forms_of`.
        stated: Strings that may stand: what the document itself says, names and accounts of the subjects.
    """

    def __init__(
        self, scan: LeakScan, scanned: Scanned, forms: frozenset[str], stated: Iterable[str] = ()
    ) -> None:
        self._scan = scan
        self._reader = _Reader(scanned, self._known, scan.is_pseudonym)
        self._forms = forms
        self._stated = frozenset(stated)
        self._waiting: list[tuple[str, Piece]] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the archive.

        Raises:
            RefusedError: `LEAK_FOUND` with the place, never the value; `PACKAGE_UNSCANNED`.
        """
        for file, piece in self._reader.feed(data):
            self._take(file, piece)

    def close(self) -> None:
        """Judge what is left at the end of the archive.

        Raises:
            RefusedError: As `feed`.
        """
        self._reader.close()
        self._judge()

    def _known(self, text: str) -> bool:
        return text in self._stated or _form(text) in self._forms

    def _take(self, file: str, piece: Piece) -> None:
        if self._known(piece.text):
            return
        self._waiting.append((file, piece))
        if len(self._waiting) >= _BATCH:
            self._judge()

    def _judge(self) -> None:
        waiting, self._waiting = self._waiting, []
        for leak in self._scan.scan([piece.text for _, piece in waiting]):
            file, piece = waiting[leak.index]
            raise _found(file, piece, leak)


def _found(file: str, piece: Piece, leak: Leak) -> RefusedError:
    start, end = piece.start + leak.start, piece.start + leak.end
    return RefusedError(
        "LEAK_FOUND",
        f"the scan of the package found a bystander's identifier ({leak.type}) in {file}, line {piece.line}, "
        f"{piece.field}, characters {start} to {end}; nothing left",
        kind=Kind.DATA_LOSS,
    )
