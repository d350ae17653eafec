"""A note's text counts only after the configured key's signature over its exact bytes has verified."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from garim.statements.refusal import RefusedError
from garim.translog.encoding import encode_base64
from garim.translog.keys import SignatureType, VerifierKey
from garim.translog.note import Note, Signature, parse_note, sign_note, verify_note
from unit.translog.small_log import signer

GOLDEN = (
    "first line\n\nline after an empty one\n\n"
    "— a.example/key "
    "xXRub9LZf2P3iEKplfHQGzVykE7XjkF8zzGuGsA4ZkBeukZOBBiUfZcMgim6vnefsYzJzg4sF6tLyTRJiypg9hKT2wQ=\n"
)
TEXT = "first line\n\nline after an empty one\n"
KEY = signer("a.example/key", 7)


def test_the_bytes_of_a_signed_note_never_change() -> None:
    assert sign_note(TEXT, KEY).encode() == GOLDEN.encode()


def test_a_signed_note_comes_back_and_verifies() -> None:
    note = parse_note(GOLDEN.encode())
    assert note.text == TEXT
    assert note.encode() == GOLDEN.encode()
    verify_note(note, KEY.key)


def test_a_signature_by_another_key_is_no_signature() -> None:
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(parse_note(GOLDEN.encode()), signer("a.example/key", 8).key)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(parse_note(GOLDEN.encode()), signer("b.example/key", 7).key)


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(parse_note(GOLDEN.replace("first", "First").encode()), KEY.key)


def test_a_forged_line_under_the_right_name_and_id_is_refused_even_beside_a_good_one() -> None:
    good = parse_note(GOLDEN.encode())
    forged = good.with_signature(KEY.key, bytes(64))
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(forged, KEY.key)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(Note(TEXT, forged.signatures[::-1]), KEY.key)


def test_lines_of_unknown_keys_are_ignored() -> None:
    note = parse_note(GOLDEN.encode())
    others = (
        Signature("a.example/key", b"none", b"x"),
        Signature("z.example", KEY.key.key_id, b"y"),
    )
    verify_note(Note(TEXT, others + note.signatures), KEY.key)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(Note(TEXT, others), KEY.key)


def test_a_witness_key_neither_signs_nor_verifies_notes() -> None:
    witness = signer("a.example/key", 7, SignatureType.COSIGNATURE_V1)
    with pytest.raises(RefusedError, match="LOG_KEY"):
        sign_note(TEXT, witness)
    with pytest.raises(RefusedError, match="LOG_KEY"):
        verify_note(sign_note(TEXT, KEY), witness.key)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        TEXT.encode(),
        GOLDEN.encode()[:-1],
        GOLDEN.encode() + b"\n",
        GOLDEN.encode() + b"trailing\n",
        GOLDEN.replace("— ", "- ").encode(),
        GOLDEN.replace("— ", "—").encode(),
        GOLDEN.replace("a.example/key", "a+example").encode(),
        GOLDEN.replace("a.example/key", "").encode(),
        GOLDEN.replace("key xX", "key  xX").encode(),
        GOLDEN.replace("wQ=\n", "wR=\n").encode(),
        GOLDEN.replace("wQ=\n", "wQ\n").encode(),
        GOLDEN.replace("wQ=\n", "wQ=\r\n").encode(),
        GOLDEN.replace("first", "fir\tst").encode(),
        GOLDEN.replace("first", "fir\x00st").encode(),
        GOLDEN.replace("first", "é").encode("latin-1", "replace"),
        "text\n\n— a.example AAAAAA==\n".encode(),
        "text\n\n— a.example \n".encode(),
        "text\n\n— a.example\n".encode(),
        "text\n\n— a.example AAAAAAE=X".encode(),
        "— a.example AAAAAAE=\n".encode(),
        "text\n— a.example AAAAAAE=\n".encode(),
        "\n\n— a.example AAAAAAE=\n".encode(),
        ("text\n\n" + "— a.example AAAAAAE=\n" * 65).encode(),
        b"x" * 70_000 + "\n\n— a.example AAAAAAE=\n".encode(),
    ],
)
def test_what_is_not_exactly_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="LOG_NOTE"):
        parse_note(data)


def test_sixty_four_signatures_are_taken() -> None:
    assert len(parse_note(("text\n\n" + "— a.example AAAAAAE=\n" * 64).encode()).signatures) == 64


@pytest.mark.parametrize("text", ["", "\n", "no newline", "tab\there\n", "return\r\n"])
def test_no_text_is_signed_that_a_note_cannot_hold(text: str) -> None:
    with pytest.raises(RefusedError, match="LOG_NOTE"):
        sign_note(text, KEY)


@pytest.mark.shared
def test_the_example_of_the_specification_verifies(c2sp: Callable[[str], str]) -> None:
    page = c2sp("signed-note.md")
    vkey = re.search(r"^ {4}(example\.com/foo\+\S+)$", page, re.MULTILINE)
    example = re.search(r"```\n(This is an example message\..*?)```", page, re.DOTALL)
    assert vkey
    assert example
    key = VerifierKey.parse(vkey[1])
    verify_note(parse_note(example[1].encode()), key)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        verify_note(parse_note(example[1].replace("example message", "Example message").encode()), key)


@pytest.mark.shared
def test_a_note_with_an_empty_line_in_its_text_is_divided_at_the_last(c2sp: Callable[[str], str]) -> None:
    poem = re.search(r"```\n(Ognuno.*?)```", c2sp("signed-note.md"), re.DOTALL)
    assert poem
    note = parse_note(poem[1].encode())
    assert note.text.endswith(":\n\ned è subito sera.\n")
    assert note.encode() == poem[1].encode()
    assert encode_base64(note.signatures[0].key_id) == "NnugSw=="
