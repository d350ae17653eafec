"""Leaves, notes and checkpoints have one form each: what parses encodes back to the same bytes."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from garim.statements.refusal import RefusedError
from garim.translog.checkpoint import Checkpoint, parse_checkpoint_text
from garim.translog.leaf import Leaf, parse_leaf
from garim.translog.note import Note, Signature, parse_note

HASHES = st.binary(min_size=32, max_size=32)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}([_-][a-z0-9]{1,8}){0,3}", fullmatch=True)
LEAVES = st.builds(
    Leaf,
    type=st.from_regex(r"[a-z]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True),
    time_ms=st.integers(0, 2**53 - 1),
    actor=st.from_regex(r"spiffe://[a-z0-9.-]{1,20}(/[A-Za-z0-9_-]{1,9}){1,3}", fullmatch=True),
    commitment=HASHES,
    magnitudes=st.dictionaries(NAMES, st.integers(0, 2**53 - 1), max_size=32),
    sealed=st.none() | st.binary(min_size=1, max_size=60),
)
LINES = st.text(st.characters(min_codepoint=0x20, codec="utf-8"), max_size=20)
NOTES = st.builds(
    Note,
    st.lists(LINES, min_size=1, max_size=4).map(lambda lines: "\n".join(["text", *lines]) + "\n"),
    st.lists(
        st.builds(
            Signature,
            st.from_regex(r"[!-*,-~가-힣]{1,12}", fullmatch=True),
            st.binary(min_size=4, max_size=4),
            st.binary(min_size=1, max_size=80),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


@given(LEAVES)
def test_a_leaf_comes_back(leaf: Leaf) -> None:
    assert parse_leaf(leaf.encode()) == leaf


@given(leaf=LEAVES, place=st.integers(0), bit=st.integers(0, 7))
def test_a_leaf_with_a_changed_bit_is_another_leaf_or_none(leaf: Leaf, place: int, bit: int) -> None:
    data = bytearray(leaf.encode())
    data[place % len(data)] ^= 1 << bit
    with contextlib.suppress(RefusedError):
        assert parse_leaf(bytes(data)).encode() == bytes(data)


@given(NOTES)
def test_a_note_comes_back(note: Note) -> None:
    assert parse_note(note.encode()) == note


@given(st.binary(max_size=200) | NOTES.map(Note.encode).map(lambda data: data[:-3] + data[-2:]))
def test_whatever_parses_as_a_note_encodes_to_the_same_bytes(data: bytes) -> None:
    with contextlib.suppress(RefusedError):
        assert parse_note(data).encode() == data


@given(origin=LINES.filter(bool), size=st.integers(1, 2**63 - 1), root=HASHES)
def test_a_checkpoint_comes_back(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert parse_checkpoint_text(checkpoint.text()) == checkpoint
