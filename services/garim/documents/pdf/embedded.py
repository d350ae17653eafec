"""The one embedded file: the claims, reached in one way only (ISO 32000-2 clauses 7.11.4 and 14.13)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pyhanko.pdf_utils import generic

from garim.documents.pdf.profile import EMBEDDED_NAME, EMBEDDED_TYPE
from garim.documents.pdf.values import Objects, is_name, is_text, items, number_of, raw
from garim.documents.unfolding import unfold
from garim.statements.refusal import RefusedError

_WAYS = 2
"""References to the file's specification: from the name tree and from /AF."""


@dataclasses.dataclass(frozen=True)
class Embedded:
    """The embedded file.

    Attributes:
        payload: Its bytes: the claims.
        carried: The same as they stand in the PDF.
        deflated: Whether they are compressed there.
    """

    payload: bytes
    carried: bytes
    deflated: bool


def find_embedded(
    objects: Objects,
    catalog: generic.DictionaryObject,
    references: Mapping[int, int],
    carriers: Sequence[generic.DictionaryObject],
) -> Embedded:
    """Return the file that the catalog's name tree and its /AF both lead to.

    Args:
        objects: As of the last revision.
        catalog: The catalog.
        references: How often each object is referred to.
        carriers: Every dictionary of the file that could hold or name an embedded file.

    Raises:
        RefusedError: `PDF_EMBEDDED_FILE` or `PDF_STRUCTURE`.
    """
    if not {"/Names", "/AF"} <= catalog.keys():
        raise _wrong(f"embed the claims as {EMBEDDED_NAME}", "Names")
    names = objects.dictionary(raw(catalog, "/Names"), "Names")
    tree = objects.dictionary(raw(names, "/EmbeddedFiles"), "EmbeddedFiles")
    entries = objects.array(raw(tree, "/Names"), "EmbeddedFiles")
    associated = objects.array(raw(catalog, "/AF"), "AF")
    if (
        names.keys() != {"/EmbeddedFiles"}
        or tree.keys() != {"/Names"}
        or len(entries) != 2
        or len(associated) != 1
        or not is_text(entries[0], EMBEDDED_NAME)
        or number_of(entries[1], "EmbeddedFiles") != number_of(associated[0], "AF")
    ):
        raise _wrong("embed exactly one file, in the catalog's name tree and its /AF", "EmbeddedFiles")
    number = number_of(associated[0], "AF")
    specification = objects.dictionary(associated[0], "AF")
    stream_number, stream = _stream(objects, specification)
    expected = (catalog, names, specification, stream)
    if len(carriers) != len(expected) or {id(one) for one in carriers} != {id(one) for one in expected}:
        raise _wrong("something else in the file holds or names an embedded file", "EmbeddedFiles")
    ways = len(objects.dictionary(raw(specification, "/EF"), "EF"))
    if references[number] != _WAYS or references[stream_number] != ways:
        raise _wrong("the embedded file can be reached in more than one way", "EmbeddedFiles")
    return _bytes_of(objects, stream)


def _wrong(message: str, field: str) -> RefusedError:
    return RefusedError("PDF_EMBEDDED_FILE", message, field=field)


def _stream(objects: Objects, specification: generic.DictionaryObject) -> tuple[int, generic.StreamObject]:
    files = objects.dictionary(raw(specification, "/EF"), "EF")
    numbers = {number_of(raw(files, key), "EF") for key in files}
    texts = [raw(specification, key) for key in ("/F", "/UF") if key in specification]
    if (
        not specification.keys() <= {"/Type", "/F", "/UF", "/EF", "/AFRelationship", "/Desc"}
        or not is_name(raw(specification, "/Type"), "/Filespec")
        or not is_name(raw(specification, "/AFRelationship"), "/Data")
        or not texts
        or not all(is_text(text, EMBEDDED_NAME) for text in texts)
        or not files.keys() <= {"/F", "/UF"}
        or len(numbers) != 1
    ):
        raise _wrong(f"the file must be named {EMBEDDED_NAME}, once, with AFRelationship /Data", "Filespec")
    (number,) = numbers
    stream = objects.numbered.get(number)
    if (
        not isinstance(stream, generic.StreamObject)
        or not stream.keys() <= {"/Type", "/Subtype", "/Params", "/Length", "/Filter"}
        or not is_name(raw(stream, "/Type"), "/EmbeddedFile")
        or not is_name(raw(stream, "/Subtype"), f"/{EMBEDDED_TYPE}")
    ):
        raise _wrong(f"the file must be a stream of type {EMBEDDED_TYPE}", "EF")
    return number, stream


def _bytes_of(objects: Objects, stream: generic.StreamObject) -> Embedded:
    embedded = _unfolded(objects, stream)
    if "/Params" in stream:
        size = raw(objects.dictionary(raw(stream, "/Params"), "Params"), "/Size")
        if size is not None and size != len(embedded.payload):
            raise _wrong("the file is not as long as it says", "Params")
    return embedded


def _unfolded(objects: Objects, stream: generic.StreamObject) -> Embedded:
    encoded = bytes(stream.encoded_data)
    filters = objects.follow(raw(stream, "/Filter"))
    if isinstance(filters, generic.ArrayObject) and len(filters) == 1:
        filters = items(filters)[0]
    if filters is None:
        return Embedded(encoded, encoded, deflated=False)
    if not is_name(filters, "/FlateDecode"):
        raise _wrong("store the file as it is or with FlateDecode", "Filter")
    payload = unfold(encoded)
    if payload is None:
        raise _wrong("the file's compression is broken, too large, or followed by something else", "Filter")
    return Embedded(payload, encoded, deflated=True)
