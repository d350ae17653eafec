"""One bit changed anywhere in what is sealed, or in what it is bound to, and nothing opens."""

from __future__ import annotations

import dataclasses
import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garim.sealing import hpke, identity, quorum, roster, segment
from garim.sealing.secret import Secret
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import WriteSecretRecord
from garim.statements.refusal import RefusedError

MESH = "test.mesh"
DOSSIER = b"\x03" * 16
NAME = "P-7K4Q2-M9XAT"
HEADER = SegmentHeader(
    b"\x01" * 16, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32, 5, 6, 7, 8, 1, segment.KIND_MESSAGES
).encode()


def secret() -> Secret:
    return Secret(bytearray(range(32)))


@functools.cache
def sealed_to() -> tuple[Secret, bytes]:
    private, public = hpke.generate()
    return private, hpke.seal(b"plain", public, b"info")


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


bits = st.integers(min_value=0, max_value=8 * 4096 - 1)


@given(bits)
def test_a_bit_of_an_hpke_sealing(bit: int) -> None:
    private, sealed = sealed_to()
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        hpke.open_sealed(flipped(sealed, bit), private, b"info")


@given(bits)
def test_a_bit_of_an_hpke_binding(bit: int) -> None:
    private, sealed = sealed_to()
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        hpke.open_sealed(sealed, private, flipped(b"info", bit))


@given(bits)
def test_a_bit_of_a_sealed_identity(bit: int) -> None:
    sealed = identity.seal_identity(secret(), MESH, DOSSIER, NAME, b"{}", b"\x04" * 16)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        identity.open_identity(secret(), MESH, DOSSIER, NAME, flipped(sealed, bit))


@given(bits)
def test_a_bit_of_a_wrapped_private_key(bit: int) -> None:
    wrapped = quorum.wrap_private(secret(), secret(), MESH, DOSSIER, b"\x04" * 16)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        quorum.unwrap_private(secret(), flipped(wrapped, bit), MESH, DOSSIER)


@given(bits)
def test_a_bit_of_a_block_or_its_header(bit: int) -> None:
    root = segment.segment_root(secret(), MESH)
    sealed = segment.BlockSealer(root, MESH).seal(HEADER, b"block")
    key = segment.segment_key(root, MESH, HEADER)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        segment.open_block(key, HEADER, flipped(sealed, bit))
    changed = flipped(HEADER, bit)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        segment.open_block(segment.segment_key(root, MESH, changed), changed, sealed)


@given(bits)
def test_a_bit_of_a_roster_record(bit: int) -> None:
    root = roster.roster_root(secret(), MESH)
    plain = roster.RosterPlain(
        b"\x01" * 32, b"\x02" * 16, b"\x03" * 16, b"\x04" * 32, (roster.MemberTag(b"\x05" * 32, "account"),)
    )
    record = roster.seal_roster(root, MESH, plain, b"members").encode()

    def read(data: bytes) -> bytes:
        decoded = roster.RosterRecord.decode(data)
        return roster.open_roster(roster.roster_key(root, MESH, decoded.plain_bytes), decoded)

    assert read(record) == b"members"
    with pytest.raises(RefusedError, match=r"SEALING_OPEN|RECORD_LAYOUT|ROSTER_ORDER"):
        read(flipped(record, bit))


headers = st.builds(
    SegmentHeader,
    *(st.binary(min_size=size, max_size=size) for size in (16, 32, 32, 32)),
    *(st.integers(min_value=0, max_value=2**64 - 1) for _ in range(4)),
    st.integers(min_value=0, max_value=2**32 - 1),
    st.integers(min_value=0, max_value=255),
)


@given(headers)
def test_a_header_is_refused_or_reads_as_it_was_written(header: SegmentHeader) -> None:
    try:
        assert SegmentHeader.decode(header.encode()) == header
    except RefusedError as refused:
        assert refused.reason in {"SEGMENT_KIND", "SEGMENT_COUNT", "SEGMENT_TIMES"}  # noqa: PT017 - either is right


@given(st.binary(max_size=400), st.sampled_from([b"GRMS\x01", b"GRMR\x01", b"GRMW\x01", b""]))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes, start: bytes) -> None:
    for kind in (SegmentHeader, roster.RosterRecord, WriteSecretRecord):
        try:
            record = kind.decode(start + data)
        except RefusedError:
            continue
        assert record.encode() == start + data


@given(st.text(max_size=20), st.text(max_size=20), st.integers(min_value=1, max_value=60_000))
def test_a_write_secret_record_reads_as_it_was_written(mesh: str, store: str, life: int) -> None:
    record = WriteSecretRecord(mesh, store, b"\x01" * 16, 5, 5 + life, b"\x02" * 32)
    assert WriteSecretRecord.decode(record.encode()) == record
    assert dataclasses.replace(record, store=store + "x").encode() != record.encode()
