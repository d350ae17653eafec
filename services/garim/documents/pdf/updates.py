"""What the save that adds a signature may change: the signature, and what makes it known. Nothing else."""

from __future__ import annotations

from typing import Any

from pyhanko.pdf_utils import generic

from garim.documents.pdf.layout import Revision
from garim.documents.pdf.values import Objects, number_of, plain, raw, without
from garim.statements.refusal import RefusedError


def check_update(
    before: Objects, revision: Revision, *, field: int, page: int, root: int, first: bool
) -> None:
    """Demand that a revision adds one signature to what stood before and leaves all else as it was.

    With the first signature may also come the file's dates and metadata, the field's appearance and the
    catalog's /Perms and /Extensions: both signatures cover them. With a later one nothing may come that the
    first signer did not see.

    Args:
        before: The objects as of the revision before.
        revision: The revision to judge.
        field: Number of the signature field that it fills.
        page: Number of the page that the field stands on.
        root: Number of the catalog.
        first: Whether its signature is the file's first.

    Raises:
        RefusedError: `PDF_CHANGED_AFTER_SIGNING`.
    """
    old = _Around(before, field, page, root)
    new = _Around(Objects({**before.numbered, **revision.objects}), field, page, root)
    _check_numbers(old, new, before, revision, field, first=first)
    late = ("/Perms", "/Extensions", "/Metadata") if first else ()
    _same(without(old.catalog, "/AcroForm", *late), without(new.catalog, "/AcroForm", *late), "catalog")
    _same(without(old.page, "/Annots"), without(new.page, "/Annots"), "page")
    if "/AcroForm" in old.catalog:
        _same(
            without(old.form, "/Fields", "/SigFlags"), without(new.form, "/Fields", "/SigFlags"), "AcroForm"
        )
    _grown(old.annotations, new.annotations, field, "Annots")
    _grown(old.fields, new.fields, field, "Fields")
    _check_field(old.field, new.field, first=first)


class _Around:
    """What stands around one signature field in one revision; empty where it does not stand there yet.

    Attributes:
        catalog: The catalog.
        page: The field's page.
        form: The form.
        field: The field.
        fields: The form's fields.
        annotations: The page's annotations.
        numbers: Numbers of all of these that are objects of their own.
    """

    def __init__(self, objects: Objects, field: int, page: int, root: int) -> None:
        nothing = generic.DictionaryObject()
        self.catalog = objects.dictionary(objects.numbered.get(root), "catalog")
        self.page = objects.dictionary(objects.numbered.get(page), "page")
        form = raw(self.catalog, "/AcroForm")
        self.form = nothing if form is None else objects.dictionary(form, "AcroForm")
        self.field = objects.dictionary(objects.numbered.get(field, nothing), "Fields")
        fields, annotations = raw(self.form, "/Fields"), raw(self.page, "/Annots")
        self.fields = [] if fields is None else objects.array(fields, "Fields")
        self.annotations = [] if annotations is None else objects.array(annotations, "Annots")
        own = {one.idnum for one in (form, fields, annotations) if isinstance(one, generic.IndirectObject)}
        self.numbers = {root, page, field} | own


def _changed(where: str) -> RefusedError:
    return RefusedError(
        "PDF_CHANGED_AFTER_SIGNING",
        "more was changed than a signature added: sign what the other signed, without any other change",
        field=where,
    )


def _check_numbers(
    old: _Around, new: _Around, before: Objects, revision: Revision, field: int, *, first: bool
) -> None:
    """Demand that only objects which a signature needs were added or written anew."""
    added = revision.objects.keys() - before.numbered.keys()
    rewritten = revision.objects.keys() & before.numbered.keys()
    if first:
        about = (raw(revision.trailer, "/Info"), raw(old.catalog, "/Metadata"))
        rewritten -= {one.idnum for one in about if isinstance(one, generic.IndirectObject)}
    elif not added <= {field, number_of(raw(new.field, "/V"), "V")}:
        raise _changed("objects")
    if not rewritten <= old.numbers:
        raise _changed("objects")


def _same(old: object, new: object, where: str) -> None:
    if old != new:
        raise _changed(where)


def _grown(old: list[Any], new: list[Any], field: int, where: str) -> None:
    """Demand that a list has stayed as it was, or got the field at its end where it did not hold it."""
    before = [plain(one) for one in old]
    added = [] if ("reference", field, 0) in before else [("reference", field, 0)]
    _same(before + added, [plain(one) for one in new], where)


def _check_field(old: generic.DictionaryObject, new: generic.DictionaryObject, *, first: bool) -> None:
    """Demand that a field was filled, and that a later signature shows nothing on the page."""
    if "/V" in old:
        raise _changed("V")
    if old:
        shown = ("/AP", "/MK") if first else ()
        _same(without(old, "/V", *shown), without(new, "/V", *shown), "Fields")
    elif not first:
        rectangle = raw(new, "/Rect")
        visible = not isinstance(rectangle, generic.ArrayObject) or any(rectangle)
        if visible or "/AP" in new or "/MK" in new:
            raise _changed("AP")
