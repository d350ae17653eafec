"""Reading parsed values without trusting their types: names, references, dictionaries with known members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhanko.pdf_utils import generic

from garim.statements.refusal import RefusedError


class Objects:
    """The objects of a file as of one revision.

    Args:
        numbered: Each object by its number.
    """

    def __init__(self, numbered: Mapping[int, generic.PdfObject]) -> None:
        self.numbered = numbered

    def follow(self, value: object) -> object:
        """Return a value, or the object that it refers to.

        Raises:
            RefusedError: `PDF_STRUCTURE`: a reference leads nowhere.
        """
        if not isinstance(value, generic.IndirectObject):
            return value
        if value.generation != 0 or value.idnum not in self.numbered:
            raise RefusedError("PDF_STRUCTURE", "a reference leads nowhere", field=f"object {value.idnum}")
        return self.numbered[value.idnum]

    def dictionary(self, value: object, where: str) -> generic.DictionaryObject:
        """Return a dictionary that is no stream, given as such or by reference.

        Raises:
            RefusedError: `PDF_STRUCTURE`.
        """
        found = self.follow(value)
        if not isinstance(found, generic.DictionaryObject) or isinstance(found, generic.StreamObject):
            raise RefusedError("PDF_STRUCTURE", "a dictionary is expected here", field=where)
        return found

    def array(self, value: object, where: str) -> list[Any]:
        """Return the items of an array as they stand, given as such or by reference.

        Raises:
            RefusedError: `PDF_STRUCTURE`.
        """
        found = self.follow(value)
        if not isinstance(found, generic.ArrayObject):
            raise RefusedError("PDF_STRUCTURE", "an array is expected here", field=where)
        return items(found)


def items(array: generic.ArrayObject) -> list[Any]:
    """Return an array's items; references stay references."""
    return list(list.__iter__(array))


def raw(dictionary: generic.DictionaryObject, key: str) -> Any:
    """Return a member as it stands, a reference as a reference; None where there is none."""
    return dict.get(dictionary, key)


def number_of(value: object, where: str) -> int:
    """Return the number of the object that a reference names.

    Raises:
        RefusedError: `PDF_STRUCTURE`: something else than a reference.
    """
    if not isinstance(value, generic.IndirectObject) or value.generation != 0:
        raise RefusedError("PDF_STRUCTURE", "a reference is expected here", field=where)
    return value.idnum


def is_name(value: object, name: str) -> bool:
    """Tell whether a value is this name (strings are equal to names in pyHanko)."""
    return isinstance(value, generic.NameObject) and value == name


def is_text(value: object, text: str) -> bool:
    """Tell whether a value is this text string."""
    return isinstance(value, generic.TextStringObject) and value == text


def plain(value: object) -> object:
    """Return a value in a form whose equality is PDF's: by type, references by number, streams by bytes."""
    if isinstance(value, generic.IndirectObject):
        return "reference", value.idnum, value.generation
    if isinstance(value, generic.ArrayObject):
        return "array", tuple(plain(one) for one in items(value))
    if isinstance(value, generic.DictionaryObject):
        members = tuple(sorted((str(key), plain(raw(value, key))) for key in value))
        return "dictionary", members, value.encoded_data if isinstance(value, generic.StreamObject) else None
    if isinstance(value, generic.TextStringObject | generic.ByteStringObject):
        return "string", bytes(value.original_bytes)
    return type(value).__name__, str(value)


def without(dictionary: generic.DictionaryObject, *keys: str) -> object:
    """Return a dictionary's `plain` form less some members."""
    return plain(
        generic.DictionaryObject({key: raw(dictionary, key) for key in dictionary.keys() - set(keys)})
    )
