"""Attacks by one who drafts the file that court and chief investigator then sign."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import pytest

from garim.documents.pdf import open_pdf
from garim.testing.pki import DocumentPki
from pdf_support import Reasons, Stages, bodies, build, sign, stream

Bodies = dict[int, bytes]


def _holding(objects: Mapping[int, bytes], text: bytes) -> int:
    return next(number for number, body in objects.items() if text in body)


def _into(text: bytes, members: bytes) -> Callable[[Bodies], None]:
    """Add members to the dictionary that holds a text."""

    def change(objects: Bodies) -> None:
        number = _holding(objects, text)
        objects[number] = objects[number].removesuffix(b">>") + members + b" >>"

    return change


def _replace(old: bytes, new: bytes) -> Callable[[Bodies], None]:
    def change(objects: Bodies) -> None:
        number = _holding(objects, old)
        objects[number] = objects[number].replace(old, new)

    return change


def _with(number: int, body: bytes, *changes: Callable[[Bodies], None]) -> Callable[[Bodies], None]:
    def change(objects: Bodies) -> None:
        objects[number] = body
        for one in changes:
            one(objects)

    return change


CATALOG, PAGE, FILE, SPEC, TREE = b"/Catalog", b"/Type /Page\n", b"/EmbeddedFile\n", b"/Filespec", b"(garim"
WIDGET = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (text) /Rect [0 0 9 9] >>"
OTHER = b"<< /Type /Filespec /F (garim-document.json) /EF << /F 41 0 R >> /AFRelationship /Data >>"
NAME = rb"(garim\055document\056json)"


def _second_file(objects: Bodies) -> None:
    objects[40], objects[41] = OTHER, stream(b"{}", b"/Type /EmbeddedFile /Subtype /application#2Fjson")


def _bomb(objects: Bodies) -> None:
    members = b"/Type /EmbeddedFile /Subtype /application#2Fjson /Filter /FlateDecode"
    objects[_holding(objects, FILE)] = stream(zlib.compress(b" " * 9_000_000), members)


def _followed(objects: Bodies) -> None:
    members = b"/Type /EmbeddedFile /Subtype /application#2Fjson /Filter /FlateDecode"
    objects[_holding(objects, FILE)] = stream(zlib.compress(b"{}") + b"{}", members)


def _nested(objects: Bodies) -> None:
    objects[_holding(objects, PAGE)] = objects[_holding(objects, PAGE)].replace(
        b"/Resources <<", b"/Resources << /X " + b"[" * 80 + b"]" * 80
    )


DRAFTED: dict[str, tuple[Callable[[Bodies], None], str]] = {
    "script on opening": (_into(CATALOG, b"/OpenAction << /S /JavaScript /JS (x) >>"), "PDF_CONTENT"),
    "destination on opening": (_into(CATALOG, b"/OpenAction [6 0 R /Fit]"), "PDF_CONTENT"),
    "scripts by name": (_into(CATALOG, b"/Names << /JavaScript << >> >>"), "PDF_UNREADABLE"),
    "page action": (_into(PAGE, b"/AA << /O << /S /URI /URI (http://x) >> >>"), "PDF_CONTENT"),
    "link": (
        _with(40, b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>", _into(PAGE, b"/Annots [40 0 R]")),
        "PDF_CONTENT",
    ),
    "layers": (_into(CATALOG, b"/OCProperties << /OCGs [] /D << >> >>"), "PDF_CONTENT"),
    "layer in resources": (
        _replace(b"/Resources <<", b"/Resources << /Properties << /L << /Type /OCG >> >>"),
        "PDF_CONTENT",
    ),
    "action beside a font": (_into(b"/Courier", b"/AA << >>"), "PDF_CONTENT"),
    "outlines": (_into(CATALOG, b"/Outlines << >>"), "PDF_CONTENT"),
    "unknown catalog member": (_into(CATALOG, b"/PieceInfo << >>"), "PDF_CONTENT"),
    "unknown page member": (_into(PAGE, b"/Thumb 5 0 R"), "PDF_CONTENT"),
    "XFA form": (_into(CATALOG, b"/AcroForm << /Fields [] /XFA [] >>"), "PDF_CONTENT"),
    "text field": (
        _with(
            40, WIDGET, _into(CATALOG, b"/AcroForm << /Fields [40 0 R] >>"), _into(PAGE, b"/Annots [40 0 R]")
        ),
        "ENVELOPE_SIGNATURES",
    ),
    "unused object": (_with(40, b"<< /Type /Page >>"), "PDF_CONTENT"),
    "dangling reference": (_into(PAGE, b"/Group 99 0 R"), "PDF_STRUCTURE"),
    "stream in another file": (
        _replace(b"/Filter /FlateDecode", b"/F (other) /Filter /FlateDecode"),
        "PDF_CONTENT",
    ),
    "deep nesting": (_nested, "PDF_STRUCTURE"),
    "page twice": (_replace(b"/Kids [ 6 0 R ]", b"/Kids [ 6 0 R 6 0 R ]"), "PDF_STRUCTURE"),
    "tree of pages in a circle": (_replace(b"/Kids [ 6 0 R ]", b"/Kids [ 6 0 R 2 0 R ]"), "PDF_STRUCTURE"),
    "member twice": (_into(CATALOG, b"/Lang (en)"), "PDF_UNREADABLE"),
    "stream longer than it says": (_replace(b"/Length", b"/Length 2 /Len"), "PDF_UNREADABLE"),
    "second file in the tree": (
        _with(40, b"", _second_file, _replace(NAME + b" 11", b"(a) 40 0 R " + NAME + b" 11")),
        "PDF_EMBEDDED_FILE",
    ),
    "second file at the page": (
        _with(40, b"", _second_file, _into(PAGE, b"/AF [40 0 R]")),
        "PDF_EMBEDDED_FILE",
    ),
    "second file at a font": (
        _with(40, b"", _second_file, _into(b"/Courier", b"/AF [40 0 R]")),
        "PDF_EMBEDDED_FILE",
    ),
    "tree and AF apart": (
        _with(40, b"", _second_file, _replace(b"[ 11 0 R ]", b"[ 40 0 R ]")),
        "PDF_EMBEDDED_FILE",
    ),
    "a second way to the file": (_into(b"/Courier", b"/X 7 0 R"), "PDF_EMBEDDED_FILE"),
    "a second way to its specification": (_into(b"/Courier", b"/X 11 0 R"), "PDF_EMBEDDED_FILE"),
    "another name": (_replace(b"/UF (garim", b"/UF (other"), "PDF_EMBEDDED_FILE"),
    "another name in the tree": (_replace(b"[ (garim", b"[ (other"), "PDF_EMBEDDED_FILE"),
    "another relationship": (
        _replace(b"/AFRelationship /Data", b"/AFRelationship /Source"),
        "PDF_EMBEDDED_FILE",
    ),
    "another type": (_replace(b"application#2Fjson", b"text#2Fplain"), "PDF_EMBEDDED_FILE"),
    "no AF": (_replace(b"/AF 12 0 R", b""), "PDF_CONTENT"),
    "no tree": (_replace(b"/Names 8 0 R", b""), "PDF_CONTENT"),
    "two files of one specification": (
        _with(41, stream(b"{}", b"/Type /EmbeddedFile"), _replace(b"/UF 7 0 R", b"/UF 41 0 R")),
        "PDF_EMBEDDED_FILE",
    ),
    "wrong size": (
        _replace(b"/Subtype /application", b"/Params << /Size 3 >> /Subtype /application"),
        "PDF_EMBEDDED_FILE",
    ),
    "unfolds to too much": (_bomb, "PDF_EMBEDDED_FILE"),
    "followed by more": (_followed, "PDF_EMBEDDED_FILE"),
    "unknown filter": (
        _replace(b"json\n/Filter /FlateDecode", b"json /Filter /RunLengthDecode"),
        "PDF_EMBEDDED_FILE",
    ),
}


@pytest.mark.parametrize("name", DRAFTED)
def test_what_a_drafter_hides_is_refused_though_both_sign(
    name: str, stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    change, expected = DRAFTED[name]
    objects = bodies(stages.draft)
    before = dict(objects)
    change(objects)
    assert objects != before
    try:
        data = sign(sign(build(objects), pki.judge), pki.chief)
    except Exception:  # noqa: BLE001 - what pyHanko does not sign is judged unsigned
        data = build(objects)
    assert reasons(open_pdf, data) == [expected]
