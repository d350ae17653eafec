"""Attacks by the second signer, whose signature is right, and by those who only append."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter, copy_into_new_writer
from pyhanko.sign.fields import MDPPerm, SigFieldSpec

from garim.documents.pdf import open_pdf
from garim.testing import documents
from garim.testing.pki import DocumentPki
from pdf_support import Reasons, Signing, Stages, append, sign, stream

Writer = IncrementalPdfFileWriter
FILE, CONTENT, PAGE, FORM, COURT_FIELD, COURT_SIGNATURE = 7, 5, 6, 14, 15, 16


def _reference(writer: Writer, number: int) -> generic.Reference:
    return generic.Reference(number, 0, writer)


def _changed_dictionary(number: int, key: str, value: generic.PdfObject) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        found = writer.get_object(_reference(writer, number))
        assert isinstance(found, generic.DictionaryObject)
        found[pdf_name(key)] = value
        writer.mark_update(_reference(writer, number))

    return change


def _changed_stream(number: int, content: bytes) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        former = writer.get_object(_reference(writer, number))
        members = {key: former.raw_get(key) for key in former if key not in {"/Length", "/Filter"}}
        writer.objects[(0, number)] = generic.StreamObject(members, stream_data=content)

    return change


def _same_again(number: int) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        writer.mark_update(_reference(writer, number))

    return change


def _page_added(writer: Writer) -> None:
    content = writer.add_object(generic.StreamObject(stream_data=b"0 0 99 99 re f"))
    writer.insert_page(PageObject(content, (0, 0, 99, 99)))


def _object_added(writer: Writer) -> None:
    writer.add_object(generic.StreamObject(stream_data=b"{}"))


def _object_used(writer: Writer) -> None:
    writer.root["/Metadata"] = writer.add_object(generic.StreamObject(stream_data=b"{}"))
    writer.update_root()


def _claims_elsewhere(writer: Writer) -> None:
    """Leave the court's stream where it is and lead the specification to another."""
    file = generic.StreamObject({pdf_name("/Type"): pdf_name("/EmbeddedFile")}, stream_data=b"{}")
    specification = writer.get_object(_reference(writer, 11))
    specification["/EF"]["/F"] = specification["/EF"]["/UF"] = writer.add_object(file)
    writer.mark_update(_reference(writer, 11))


def _number(value: int) -> generic.NumberObject:
    return generic.NumberObject(value)


SECOND: dict[str, Callable[[Writer], None]] = {
    "claims replaced": _changed_stream(FILE, b"{}"),
    "claims elsewhere": _claims_elsewhere,
    "page content replaced": _changed_stream(CONTENT, b"0 0 99 99 re f"),
    "same page content again": _same_again(CONTENT),
    "page box": _changed_dictionary(PAGE, "/MediaBox", generic.ArrayObject([_number(9)] * 4)),
    "page turned": _changed_dictionary(PAGE, "/Rotate", _number(180)),
    "page added": _page_added,
    "language": _changed_dictionary(1, "/Lang", generic.TextStringObject("en")),
    "object that nothing uses": _object_added,
    "metadata": _object_used,
    "form": _changed_dictionary(FORM, "/DA", generic.TextStringObject("0 g")),
    "court's field moved": _changed_dictionary(
        COURT_FIELD, "/Rect", generic.ArrayObject([_number(0), _number(0), _number(300), _number(300)])
    ),
    "court's field renamed": _changed_dictionary(COURT_FIELD, "/TU", generic.TextStringObject("x")),
    "court's signature again": _same_again(COURT_SIGNATURE),
}


REASONS = {
    "claims elsewhere": "PDF_CONTENT",
    "object that nothing uses": "PDF_CONTENT",
    "court's signature again": "PDF_CHANGED_AFTER_SIGNING",
}
"""By which check of the content a change is refused first, where it is not by that of updates."""


@pytest.mark.parametrize("name", SECOND)
def test_the_second_signer_adds_nothing_but_a_signature(
    name: str, stages: Stages, pki: DocumentPki, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged by ourselves alone."""
    monkeypatch.setattr("garim.documents.pdf.second_opinion.check", lambda *_: None)
    data = sign(stages.half, pki.chief, SECOND[name])
    assert data.startswith(stages.half)
    assert reasons(open_pdf, data) == [REASONS.get(name, "PDF_CHANGED_AFTER_SIGNING")]


@pytest.mark.parametrize("name", ["page box", "language", "metadata", "court's field moved"])
def test_pyhankos_check_of_updates_finds_it_without_ours(
    name: str, stages: Stages, pki: DocumentPki, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("garim.documents.pdf.opening.check_update", lambda *_, **__: None)
    assert reasons(open_pdf, sign(stages.half, pki.chief, SECOND[name])) == ["PDF_CHANGED_AFTER_SIGNING"]


def test_a_catalog_written_again_as_it_was_changes_nothing(stages: Stages, pki: DocumentPki) -> None:
    assert open_pdf(sign(stages.half, pki.chief, _same_again(1))).payload == stages.payload


def test_no_object_comes_with_the_second_signature(
    stages: Stages, pki: DocumentPki, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that only the signature's own dictionary leads to."""
    monkeypatch.setattr("garim.documents.pdf.second_opinion.check", lambda *_: None)
    data = sign(stages.half, pki.chief, how=Signing(beside=generic.StreamObject(stream_data=b"x")))
    assert reasons(open_pdf, data) == ["PDF_CHANGED_AFTER_SIGNING"]


def test_a_file_that_is_too_large_is_not_even_parsed(stages: Stages, reasons: Reasons) -> None:
    assert reasons(open_pdf, stages.full + b"\0" * 9_000_000) == ["PDF_SIZE"]


def test_the_second_signature_shows_nothing_on_the_page(
    stages: Stages, pki: DocumentPki, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = sign(stages.draft, pki.judge)
    spec = SigFieldSpec("Chief", box=(0, 0, 595, 842))
    data = sign(half, pki.chief, how=Signing(field="Chief", spec=spec))
    assert reasons(open_pdf, data) == ["PDF_CHANGED_AFTER_SIGNING"]
    monkeypatch.setattr("garim.documents.pdf.second_opinion.check", lambda *_: None)
    assert reasons(open_pdf, data) == ["PDF_CHANGED_AFTER_SIGNING"]


def test_metadata_of_the_usual_tools_may_not_come_with_the_second_signature(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    data = sign(stages.half, pki.chief, how=Signing(writer=IncrementalPdfFileWriter))
    assert reasons(open_pdf, data) == ["PDF_CHANGED_AFTER_SIGNING"]


@pytest.mark.parametrize(
    "change", [_changed_stream(CONTENT, b"0 g"), _changed_stream(FILE, b"{}"), _page_added]
)
def test_even_the_first_signature_is_added_to_what_was_drafted(
    stages: Stages, pki: DocumentPki, reasons: Reasons, change: Callable[[Writer], None]
) -> None:
    data = sign(sign(stages.draft, pki.judge, change), pki.chief)
    assert reasons(open_pdf, data) == ["PDF_CHANGED_AFTER_SIGNING"]


APPENDED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "claims": (lambda data: append(data, {FILE: stream(b"{}")}), "PDF_STRUCTURE"),
    "page content": (lambda data: append(data, {CONTENT: stream(b"0 g")}), "PDF_STRUCTURE"),
    "nothing but a table": (lambda data: append(data, {}), "PDF_STRUCTURE"),
    "deletion": (lambda data: append(data, {}, free=CONTENT), "PDF_STRUCTURE"),
    "another catalog": (
        lambda data: append(data, {30: b"<< /Type /Catalog /Pages 2 0 R >>"}, trailer=b"/Root 30 0 R"),
        "PDF_UNREADABLE",
    ),
    "a line end": (lambda data: data + b"\n", "PDF_STRUCTURE"),
    "a comment": (lambda data: data + b"% more\n", "PDF_STRUCTURE"),
    "an end marker": (lambda data: data + b"%%EOF\n", "PDF_STRUCTURE"),
    "a megabyte": (lambda data: data + b"\0" * 1_000_000, "PDF_STRUCTURE"),
}


@pytest.mark.parametrize("name", APPENDED)
def test_nothing_follows_the_last_signature(name: str, stages: Stages, reasons: Reasons) -> None:
    change, expected = APPENDED[name]
    found = reasons(open_pdf, change(stages.full))
    assert found[0] in {expected, "PDF_UNREADABLE"}


@pytest.mark.parametrize("free", [0, CONTENT])
def test_no_save_stands_between_the_signatures(
    stages: Stages, pki: DocumentPki, reasons: Reasons, free: int
) -> None:
    data = sign(append(stages.half, {} if free else {CONTENT: stream(b"0 g")}, free=free), pki.chief)
    assert reasons(open_pdf, data) == ["PDF_STRUCTURE"]


def test_no_save_stands_between_draft_and_signature(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    data = sign(append(stages.draft, {CONTENT: stream(b"0 g")}), pki.judge)
    assert reasons(open_pdf, data, signers=1) == ["PDF_CHANGED_AFTER_SIGNING"]


def test_a_third_signature_is_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    assert reasons(open_pdf, sign(stages.full, pki.clerk)) == ["PDF_STRUCTURE"]


@pytest.mark.parametrize("permission", [MDPPerm.NO_CHANGES, MDPPerm.ANNOTATE])
def test_a_certification_leaves_room_for_signatures_only(
    stages: Stages, pki: DocumentPki, reasons: Reasons, permission: MDPPerm
) -> None:
    data = sign(sign(stages.draft, pki.judge, how=Signing(certify=permission)), pki.chief)
    assert reasons(open_pdf, data) == ["PDF_SIGNATURE"]


def test_only_the_first_signature_certifies(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    half = sign(stages.draft, pki.judge)
    data = sign(half, pki.chief, how=Signing(certify=MDPPerm.FILL_FORMS))
    assert reasons(open_pdf, data)[0] in {"PDF_CONTENT", "PDF_CHANGED_AFTER_SIGNING"}


def _rewritten(draft: bytes, writer: PdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_cross_reference_streams_and_object_streams_are_refused(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    writer = copy_into_new_writer(
        PdfFileReader(io.BytesIO(stages.draft)), writer_kwargs={"stream_xrefs": True}
    )
    data = sign(sign(_rewritten(stages.draft, writer), pki.judge), pki.chief)
    assert reasons(open_pdf, data) == ["PDF_STRUCTURE"]


def test_an_object_stream_in_an_update_is_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    def change(writer: Writer) -> None:
        writer.stream_xrefs = True
        hidden = writer.prepare_object_stream()
        writer.add_object(generic.NumberObject(1), obj_stream=hidden)

    assert reasons(open_pdf, sign(stages.half, pki.chief, change)) == ["PDF_STRUCTURE"]


def test_an_encrypted_file_is_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    writer = copy_into_new_writer(
        PdfFileReader(io.BytesIO(stages.draft)), writer_kwargs={"stream_xrefs": False}
    )
    writer.encrypt("owner", "")
    data = _rewritten(stages.draft, writer)
    assert reasons(open_pdf, data) == ["PDF_STRUCTURE"]

    class Knowing(IncrementalPdfFileWriter):
        def __init__(self, *args: object, **named: object) -> None:
            super().__init__(*args, **named)  # type: ignore[arg-type]
            self.encrypt("")

    signed = sign(data, pki.judge, how=Signing(writer=Knowing))
    assert reasons(open_pdf, signed, signers=1) == ["PDF_STRUCTURE"]


def test_a_hybrid_table_is_refused(stages: Stages, reasons: Reasons) -> None:
    data = append(stages.draft, {}, trailer=b"/XRefStm 17 ")
    assert reasons(open_pdf, data)[0] in {"PDF_STRUCTURE", "PDF_UNREADABLE"}


def test_another_documents_signed_update_does_not_fit(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    """The chief investigator's signature of one document, moved behind the court's of another."""
    from garim.documents.pdf.writing import draft_pdf

    others = (
        draft_pdf(documents.payload(documents.disclosure(pki, number=f"2026-압수-{number:04}")))
        for number in range(2, 99)
    )
    other = next(one for one in others if len(one) == len(stages.draft))
    theirs = sign(other, pki.judge)
    full = sign(theirs, pki.chief)
    ours = sign(stages.draft, pki.judge)
    assert len(ours) == len(theirs)
    assert reasons(open_pdf, ours + full[len(theirs) :]) == ["SIGNATURE_WRONG"]
    assert reasons(open_pdf, stages.draft + theirs[len(other) :], signers=1) == ["SIGNATURE_WRONG"]
