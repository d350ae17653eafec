"""Each signature's dictionary: what it holds, and that it covers its whole revision but its own value."""

from __future__ import annotations

import re

from pyhanko.pdf_utils import generic

from garim.documents.bare import BareSignature
from garim.documents.pdf.cms_signature import check_cms
from garim.documents.pdf.content import closed
from garim.documents.pdf.der import element_length
from garim.documents.pdf.layout import Revision
from garim.documents.pdf.values import Objects, is_name, items, raw
from garim.statements.refusal import RefusedError

_MEMBERS = "Type Filter SubFilter Contents ByteRange M Name Reason Location ContactInfo Prop_Build Reference"
_HEX = re.compile(rb"<(?:[0-9a-f]+|[0-9A-F]+)>")
_PADDING = re.compile(rb"\0*")
_FORM_FILLING = 2


def check_signature(
    data: bytes, objects: Objects, number: int, revision: Revision, *, first: bool, field: str
) -> tuple[tuple[bytes, ...], BareSignature, tuple[int, int, int]]:
    """Check one signature; return its chain in DER, leaf first, what the key signed, and the span.

    Args:
        data: The whole file.
        objects: As of the last revision.
        number: Number of the signature's dictionary.
        revision: The revision that holds it, and that it must cover.
        first: Whether it is the file's first, which may certify it.
        field: Path of the signature, for refusals.

    Raises:
        RefusedError: `PDF_SIGNATURE`, `PDF_COVERAGE`, and those of `check_cms`.
    """
    signature = objects.dictionary(objects.numbered.get(number), field)
    _check_members(objects, signature, first=first, field=field)
    before, after, end = _byte_range(signature, field)
    start, stop = revision.spans[number]
    gap = data[before:after]
    ends = {len(data)} if revision.ends[1] == len(data) else set(revision.ends)
    if not start < before < after < stop or end not in ends:
        raise _uncovered(field)
    contents = raw(signature, "/Contents")
    if not isinstance(contents, generic.ByteStringObject | generic.TextStringObject) or len(gap) % 2:
        raise _uncovered(field)
    if _HEX.fullmatch(gap) is None or contents.original_bytes != (value := bytes.fromhex(gap[1:-1].decode())):
        raise _uncovered(field)
    length = element_length(value)
    if _PADDING.fullmatch(value, length) is None:
        raise RefusedError("PDF_COVERAGE", "only zeros may follow the signature's value", field=field)
    chain, bare = check_cms(value[:length], data[:before] + data[after:end], field=field)
    return chain, bare, (before, after, end)


def _uncovered(field: str) -> RefusedError:
    return RefusedError(
        "PDF_COVERAGE",
        "the signature must cover its whole revision, from the first byte to the end, but its own value",
        field=field,
    )


def _check_members(objects: Objects, signature: generic.DictionaryObject, *, first: bool, field: str) -> None:
    closed(signature, _MEMBERS, field)
    kind = raw(signature, "/Type")
    if kind is not None and not is_name(kind, "/Sig"):
        raise RefusedError("PDF_SIGNATURE", "only signatures count, no time stamps", field=field)
    if not is_name(raw(signature, "/SubFilter"), "/ETSI.CAdES.detached"):
        raise RefusedError("PDF_SIGNATURE", "sign as PAdES: SubFilter ETSI.CAdES.detached", field=field)
    if "/Reference" in signature:
        _check_certification(objects, signature, first=first, field=field)


def _check_certification(
    objects: Objects, signature: generic.DictionaryObject, *, first: bool, field: str
) -> None:
    """Demand that a certifying signature is the first and allows the second: DocMDP with permission 2."""
    references = objects.array(raw(signature, "/Reference"), field)
    reference = (
        objects.dictionary(references[0], field) if len(references) == 1 else generic.DictionaryObject()
    )
    parameters = reference and objects.dictionary(raw(reference, "/TransformParams"), field)
    if (
        not first
        or not parameters
        or not is_name(raw(reference, "/TransformMethod"), "/DocMDP")
        or raw(parameters, "/P") != _FORM_FILLING
    ):
        raise RefusedError(
            "PDF_SIGNATURE", "only the first signature certifies, with permission 2 (DocMDP)", field=field
        )


def _byte_range(signature: generic.DictionaryObject, field: str) -> tuple[int, int, int]:
    """Return where the gap begins and ends, and where the signed bytes end."""
    stated = raw(signature, "/ByteRange")
    numbers = items(stated) if isinstance(stated, generic.ArrayObject) else []
    if len(numbers) != 4 or not all(isinstance(one, generic.NumberObject) for one in numbers):
        raise _uncovered(field)
    start, before, after, rest = (int(one) for one in numbers)
    if start != 0 or min(before, after, rest) <= 0:
        raise _uncovered(field)
    return before, after, after + rest
