"""What a signed file may hold: pages, signatures, the claims. What could change what is seen is refused.

Catalog, pages, form and fields have closed lists of members; every other object is searched for actions,
scripts, layers, other files and references to the outside.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from pyhanko.pdf_utils import generic

from garim.documents.pdf.embedded import Embedded, find_embedded
from garim.documents.pdf.profile import MAX_DEPTH
from garim.documents.pdf.values import Objects, is_name, items, number_of, raw
from garim.statements.refusal import RefusedError

_CATALOG = (
    "Type Version Extensions Pages PageLabels Names PageMode PageLayout ViewerPreferences Metadata "
    "StructTreeRoot MarkInfo Lang OutputIntents AF AcroForm Perms"
)
_NODE = "Type Parent Kids Count Resources MediaBox CropBox Rotate"
_PAGE = (
    "Type Parent Resources MediaBox CropBox BleedBox TrimBox ArtBox Rotate Contents Annots Group "
    "StructParents Tabs UserUnit"
)
_FORM = "Fields SigFlags DA DR"
_FIELD = "Type Subtype FT T TU V F Ff Rect P AP MK DA"
_FORBIDDEN_KEYS = (
    "JS JavaScript AA OpenAction XFA OCProperties OC OCGs URI URLS Encrypt FFilter FDecodeParms OPI "
    "Alternates RichMediaContent RichMediaSettings Threads Collection NeedAppearances Lock SV DSS RF "
    "Navigator Renditions AlternatePresentations Dests Outlines"
)
_FORBIDDEN_NAMES = (
    "JavaScript Launch URI GoToR GoToE GoTo3DView GoToDp SubmitForm ResetForm ImportData Hide "
    "Named SetOCGState Rendition RichMediaExecute Movie Sound Thread Action OCG OCMD ObjStm XRef PS "
    "Crypt DocTimeStamp"
)
_SIG_FLAGS = 3


@dataclasses.dataclass(frozen=True)
class Content:
    """What the checked file holds.

    Attributes:
        embedded: The embedded file: the claims.
        fields: Numbers of the signature fields.
        pages: Number of the page on which each field's widget stands.
    """

    embedded: Embedded
    fields: tuple[int, ...]
    pages: tuple[int, ...]


def _names(text: str) -> frozenset[str]:
    return frozenset(f"/{name}" for name in text.split())


_KEYS, _VALUES = _names(_FORBIDDEN_KEYS), _names(_FORBIDDEN_NAMES)


def closed(dictionary: generic.DictionaryObject, allowed: str, where: str) -> None:
    """Demand that a dictionary has no other members than these.

    Raises:
        RefusedError: `PDF_CONTENT`.
    """
    if dictionary.keys() - _names(allowed):
        raise RefusedError(
            "PDF_CONTENT", "a member stands here that official documents do not have", field=where
        )


def check_content(objects: Objects, trailer: generic.DictionaryObject, signers: int) -> Content:
    """Check everything that the file holds.

    Args:
        objects: As of the last revision.
        trailer: The last revision's.
        signers: How many signatures are expected.

    Raises:
        RefusedError: `PDF_CONTENT`, `PDF_EMBEDDED_FILE`, `PDF_STRUCTURE` or `ENVELOPE_SIGNATURES`.
    """
    catalog = objects.dictionary(raw(trailer, "/Root"), "catalog")
    if not is_name(raw(catalog, "/Type"), "/Catalog"):
        raise RefusedError("PDF_STRUCTURE", "the trailer names no catalog", field="catalog")
    closed(catalog, _CATALOG, "catalog")
    survey = _Survey(objects)
    survey.walk(trailer)
    embedded = find_embedded(objects, catalog, survey.references, survey.carriers)
    fields = _fields(objects, catalog, signers)
    widgets = dict(_widgets(objects, catalog))
    if sorted(widgets) != sorted(fields):
        raise RefusedError(
            "PDF_CONTENT", "pages carry the signatures' widgets and no other annotation", field="Annots"
        )
    return Content(embedded, fields, tuple(widgets[field] for field in fields))


class _Survey:
    """One walk over everything that the trailer leads to.

    Attributes:
        references: How often each object is referred to.
        carriers: The dictionaries that could hold or name an embedded file.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.references: Counter[int] = Counter()
        self.carriers: list[generic.DictionaryObject] = []

    def walk(self, trailer: generic.DictionaryObject) -> None:
        """Visit each object once.

        Raises:
            RefusedError: `PDF_CONTENT` or `PDF_STRUCTURE`.
        """
        pending: list[tuple[object, int]] = [(trailer, 0)]
        while pending:
            value, depth = pending.pop()
            if depth > MAX_DEPTH:
                raise RefusedError("PDF_STRUCTURE", f"more than {MAX_DEPTH} values inside each other")
            if isinstance(value, generic.IndirectObject):
                self.references[value.idnum] += 1
                if self.references[value.idnum] == 1:
                    pending.append((self._objects.follow(value), 0))
            elif isinstance(value, generic.ArrayObject):
                pending += ((one, depth + 1) for one in items(value))
            elif isinstance(value, generic.DictionaryObject):
                self._check(value)
                pending += ((raw(value, key), depth + 1) for key in value)
            elif isinstance(value, generic.NameObject) and value in _VALUES:
                raise _active()
        if self.references.keys() != self._objects.numbered.keys():
            raise RefusedError("PDF_CONTENT", "the file holds objects that nothing in it uses")

    def _check(self, dictionary: generic.DictionaryObject) -> None:
        if dictionary.keys() & _KEYS:
            raise _active()
        if isinstance(dictionary, generic.StreamObject) and "/F" in dictionary:
            raise RefusedError("PDF_CONTENT", "a stream's bytes stand in another file", field="F")
        if dictionary.keys() & {"/EF", "/AF", "/EmbeddedFiles"} or any(
            is_name(raw(dictionary, "/Type"), name) for name in ("/EmbeddedFile", "/Filespec", "/F")
        ):
            self.carriers.append(dictionary)


def _active() -> RefusedError:
    return RefusedError(
        "PDF_CONTENT",
        "no scripts, actions, layers, forms, links, other files or time stamps; print it to a plain PDF",
    )


def _fields(objects: Objects, catalog: generic.DictionaryObject, signers: int) -> tuple[int, ...]:
    if "/AcroForm" not in catalog:
        raise _wrong_count(signers)
    form = objects.dictionary(raw(catalog, "/AcroForm"), "AcroForm")
    closed(form, _FORM, "AcroForm")
    found = objects.array(raw(form, "/Fields"), "Fields")
    if len(found) != signers:
        raise _wrong_count(signers)
    if raw(form, "/SigFlags") != _SIG_FLAGS:
        raise RefusedError("PDF_CONTENT", "the form must say that it is signed", field="SigFlags")
    numbers = tuple(number_of(one, "Fields") for one in found)
    names = [_check_field(objects, number) for number in numbers]
    if len(set(names)) != len(names):
        raise RefusedError("PDF_CONTENT", "two signature fields share a name", field="T")
    return numbers


def _check_field(objects: Objects, number: int) -> str:
    field = objects.dictionary(objects.numbered.get(number), "Fields")
    closed(field, _FIELD, "signature field")
    name = raw(field, "/T")
    right = (
        is_name(raw(field, "/Subtype"), "/Widget")
        and is_name(raw(field, "/FT"), "/Sig")
        and isinstance(name, generic.TextStringObject)
        and isinstance(raw(field, "/V"), generic.IndirectObject)
    )
    if not right:
        raise RefusedError(
            "PDF_CONTENT", "only signed signature fields may stand in the form", field="Fields"
        )
    return str(name)


def _wrong_count(signers: int) -> RefusedError:
    return RefusedError("ENVELOPE_SIGNATURES", f"exactly {signers} signatures are expected", field="Fields")


def _widgets(objects: Objects, catalog: generic.DictionaryObject) -> Iterable[tuple[int, int]]:
    """Yield the number of each annotation with its page's, while checking the tree of pages."""
    seen: set[int] = set()
    pending = [number_of(raw(catalog, "/Pages"), "Pages")]
    widgets: list[tuple[int, int]] = []
    while pending:
        number = pending.pop()
        node = objects.dictionary(objects.numbered.get(number), "Pages")
        if number in seen:
            raise RefusedError("PDF_STRUCTURE", "a page stands twice in the tree of pages", field="Pages")
        seen.add(number)
        if is_name(raw(node, "/Type"), "/Pages"):
            closed(node, _NODE, "Pages")
            pending += [number_of(one, "Kids") for one in objects.array(raw(node, "/Kids"), "Kids")]
            continue
        if not is_name(raw(node, "/Type"), "/Page"):
            raise RefusedError("PDF_STRUCTURE", "the tree of pages holds something else", field="Pages")
        closed(node, _PAGE, "page")
        if "/Annots" in node:
            annotations = objects.array(raw(node, "/Annots"), "Annots")
            widgets += [(number_of(one, "Annots"), number) for one in annotations]
    if len({field for field, _ in widgets}) != len(widgets):
        raise RefusedError("PDF_CONTENT", "an annotation stands twice", field="Annots")
    return widgets
