"""The bytes of a PDF, every one accounted for: revisions, each of objects, one table and one trailer.

Readers of PDF repair what they find and disagree about it; here nothing is repaired. The file is tiled by its
header and, for each revision, by exactly the objects that its cross-reference table lists, the table, the
trailer and the end marker (ISO 32000-2 clause 7.5). Only classic tables count, as in PDF/A-1 (ISO 19005-1):
cross-reference streams, object streams, hybrid and linearised files and encryption are refused. Values are
parsed by pyHanko, in strict mode.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Mapping

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from garim.documents.pdf.profile import MAX_OBJECTS, MAX_REVISIONS
from garim.statements.refusal import RefusedError

_EOL = rb"(?:\r\n|\n|\r)"
_HEADER = re.compile(rb"%PDF-(?:1\.[3-7]|2\.0)" + _EOL + rb"(?:%[^\r\n]{0,64}" + _EOL + rb")?")
_TABLE = re.compile(rb"xref ?" + _EOL)
_SUBSECTION = re.compile(rb"(0|[1-9][0-9]{0,6}) ([1-9][0-9]{0,6}) ?" + _EOL)
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \n| \r|\r\n)")
_TRAILER = re.compile(rb"trailer\s*(?=<<)")
_END = re.compile(
    rb"\s*startxref ?" + _EOL + rb"([1-9][0-9]{0,9}) ?" + _EOL + rb"(?P<marker>%%EOF)" + _EOL + rb"?"
)
_OBJECT = re.compile(rb"([1-9][0-9]{0,6}) 0 obj(?=[\s<\[(/0-9+-])\s*")
_OBJECT_END = re.compile(rb"\s*endobj(?=\s)\s*")
_SPACE = re.compile(rb"[\0\t\n\f\r ]*")
_TRAILER_KEYS = frozenset({"/Size", "/Root", "/Info", "/ID", "/Prev", "/DocChecksum"})


@dataclasses.dataclass(frozen=True)
class Revision:
    """What one save of the file added.

    Attributes:
        ends: Offsets at which it may be said to end: after its end marker, and after the line end behind it.
        objects: The objects that it holds, by number.
        spans: Offset of each object's first byte and of the first behind it.
        trailer: Its trailer.
    """

    ends: tuple[int, int]
    objects: Mapping[int, generic.PdfObject]
    spans: Mapping[int, tuple[int, int]]
    trailer: generic.DictionaryObject


@dataclasses.dataclass(frozen=True)
class _Section:
    """A cross-reference table with what follows it up to the revision's end."""

    start: int
    offsets: Mapping[int, int]
    trailer: generic.DictionaryObject
    ends: tuple[int, int]


def refuse(message: str, field: str = "") -> RefusedError:
    """Return the refusal of a file that could be read in two ways."""
    return RefusedError("PDF_STRUCTURE", message, field=field)


def read_revisions(data: bytes, reader: PdfFileReader) -> tuple[Revision, ...]:
    """Return the revisions of a file, oldest first.

    Args:
        data: The whole file.
        reader: pyHanko's strict reader of the same bytes; it resolves indirect lengths of streams.

    Raises:
        RefusedError: `PDF_STRUCTURE`.
    """
    header = _HEADER.match(data)
    if header is None:
        raise refuse("the file does not begin as a PDF of version 1.3 to 2.0", "header")
    start = header.end()
    revisions = []
    for section in _sections(data, reader):
        revisions.append(_read_body(data, start, section, reader))
        start = section.ends[1]
    if reader.xrefs.total_revisions != len(revisions):
        raise refuse("the revisions are ambiguous", "xref")
    return tuple(revisions)


def _sections(data: bytes, reader: PdfFileReader) -> list[_Section]:
    """Follow the tables from the last one to the first; return them oldest first."""
    last = _END.match(data, max(data.rfind(b"startxref"), 0))
    if last is None:
        raise refuse("the file does not end with startxref and %%EOF", "startxref")
    offset = int(last[1])
    sections: list[_Section] = []
    while True:
        section = _read_section(data, offset, reader)
        limit = sections[-1].start if sections else len(data)
        if section.ends[1] > limit:
            raise refuse("a revision does not end where the next one begins", "startxref")
        if not sections and section.ends[1] != limit:
            raise refuse("something follows the last revision", "startxref")
        sections.append(section)
        previous = section.trailer.get("/Prev")
        if previous is None:
            return sections[::-1]
        if not isinstance(previous, int) or len(sections) >= MAX_REVISIONS:
            raise refuse("the file has been saved more often than it was signed", "xref")
        offset = previous


def _read_section(data: bytes, offset: int, reader: PdfFileReader) -> _Section:
    head = _TABLE.match(data, offset)
    if head is None:
        raise refuse(
            "save it with a classic cross-reference table, without object streams (as PDF/A-1 demands)",
            "xref",
        )
    place, offsets = _read_table(data, head.end())
    keyword = _TRAILER.match(data, place)
    if keyword is None:
        raise refuse("the trailer does not follow its table", "trailer")
    stream = io.BytesIO(data)
    stream.seek(keyword.end())
    trailer = generic.read_object(stream, generic.TrailerReference(reader))
    end = _END.match(data, stream.tell())
    if not isinstance(trailer, generic.DictionaryObject) or end is None or int(end[1]) != offset:
        raise refuse("startxref does not lead to its own table", "startxref")
    unknown = trailer.keys() - _TRAILER_KEYS
    if unknown:
        raise refuse("the trailer holds something unknown: no encryption, no hybrid tables", "trailer")
    return _Section(offset, offsets, trailer, (end.end("marker"), end.end()))


def _read_table(data: bytes, place: int) -> tuple[int, dict[int, int]]:
    offsets: dict[int, int] = {}
    seen: set[int] = set()
    while subsection := _SUBSECTION.match(data, place):
        first, count = int(subsection[1]), int(subsection[2])
        place = subsection.end()
        if count + len(seen) > MAX_OBJECTS:
            raise refuse(f"more than {MAX_OBJECTS} objects", "xref")
        for number in range(first, first + count):
            entry = _ENTRY.match(data, place)
            if entry is None or number in seen:
                raise refuse("the cross-reference table is malformed or lists an object twice", "xref")
            place = entry.end()
            seen.add(number)
            if (entry[2], entry[3]) != ((b"65535", b"f") if number == 0 else (b"00000", b"n")):
                raise refuse("an object has been deleted, or its number used for a second time", "xref")
            if number:
                offsets[number] = int(entry[1])
    return place, offsets


def _read_body(data: bytes, start: int, section: _Section, reader: PdfFileReader) -> Revision:
    """Read a revision's objects, which must follow each other without anything between."""
    objects: dict[int, generic.PdfObject] = {}
    spans: dict[int, tuple[int, int]] = {}
    stream = io.BytesIO(data)
    place = _skip_space(data, start)
    for number, offset in sorted(section.offsets.items(), key=lambda entry: entry[1]):
        if offset != place:
            raise refuse("bytes stand between objects that no table lists", "xref")
        objects[number], place = _read_object(data, stream, number, offset, reader)
        spans[number] = (offset, place)
    if place != section.start:
        raise refuse("bytes stand before the table that it does not list", "xref")
    return Revision(section.ends, objects, spans, section.trailer)


def _skip_space(data: bytes, place: int) -> int:
    space = _SPACE.match(data, place)
    return place if space is None else space.end()


def _read_object(
    data: bytes, stream: io.BytesIO, number: int, offset: int, reader: PdfFileReader
) -> tuple[generic.PdfObject, int]:
    head = _OBJECT.match(data, offset)
    if head is None or int(head[1]) != number:
        raise refuse("the table does not lead to the object that it lists", "xref")
    stream.seek(head.end())
    value = generic.read_object(stream, generic.Reference(number, 0, reader))
    tail = _OBJECT_END.match(data, stream.tell())
    if tail is None:
        raise refuse("an object does not end where it should", "xref")
    if isinstance(value, generic.IndirectObject):
        raise refuse("an object is only a reference to another", "xref")
    if isinstance(value, generic.StreamObject):
        _check_stream(data, stream.tell(), value)
    return value, tail.end()


def _check_stream(data: bytes, end: int, value: generic.StreamObject) -> None:
    """Demand that a stream is as long as it says; pyHanko bears one byte more."""
    body = value.encoded_data
    tail = data[end - len(body) - 11 : end]
    endings = (b"endstream", b"\nendstream", b"\rendstream", b"\r\nendstream")
    if value["/Length"] != len(body) or not any(tail.endswith(body + ending) for ending in endings):
        raise refuse("a stream is not as long as it says", "stream")
