"""The bytes of every record never change, and whatever is not one of them is refused."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

import pytest

from garim.sealing import roster, segment, write_secret
from garim.sealing.roster import MemberTag, RosterPlain, RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import WriteSecretRecord
from garim.statements.refusal import RefusedError

HOUR = 3_600_000
RECORD = WriteSecretRecord(
    "test.mesh", "store-1", bytes(range(16)), 10 * HOUR, 10 * HOUR + 60_000, b"\x07" * 32
)
PLAIN = RosterPlain(
    b"\x01" * 32,
    b"\x02" * 16,
    b"\x03" * 16,
    b"\x04" * 32,
    (MemberTag(b"\x05" * 32, "account"), MemberTag(b"\x06" * 32, "phone"), MemberTag(b"\x08" * 32, "email")),
)
ROSTER = RosterRecord(PLAIN, PLAIN.encode(), b"sealed")
HEADER = SegmentHeader(
    b"\x01" * 16,
    b"\x02" * 32,
    b"\x03" * 32,
    b"\x04" * 32,
    10 * HOUR,
    10 * HOUR + 59_999,
    10 * HOUR + 1,
    10 * HOUR + 60_001,
    513,
    segment.KIND_MESSAGES,
)

ENCODED = {
    "write secret": (RECORD.encode(), WriteSecretRecord.decode),
    "roster": (ROSTER.encode(), RosterRecord.decode),
    "segment header": (HEADER.encode(), SegmentHeader.decode),
}


def reason(decode: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        decode(data)
    return refused.value.reason


def test_the_bytes_of_a_write_secret_record_never_change() -> None:
    assert RECORD.encode() == (
        b"GRMW\x01"
        b"\x00\x00\x00\x09test.mesh"
        b"\x00\x00\x00\x07store-1"
        + bytes(range(16))
        + bytes.fromhex("0000000002255100")
        + bytes.fromhex("0000000002263b60")
        + b"\x07" * 32
    )


def test_the_bytes_of_a_roster_record_never_change() -> None:
    plain = (
        b"GRMR\x01" + b"\x01" * 32 + b"\x02" * 16 + b"\x03" * 16 + b"\x04" * 32 + b"\x00\x00\x00\x03"
        + b"\x05" * 32 + b"\x01" + b"\x06" * 32 + b"\x02" + b"\x08" * 32 + b"\x03"
    )  # fmt: skip
    assert PLAIN.encode() == plain
    assert ROSTER.encode() == plain + b"\x00\x00\x00\x06sealed"
    assert roster.digest(ROSTER.encode()) == hashlib.sha256(plain + b"\x00\x00\x00\x06sealed").digest()


def test_the_bytes_of_a_segment_header_never_change() -> None:
    assert HEADER.encode() == (
        b"GRMS\x01" + b"\x01" * 16 + b"\x02" * 32 + b"\x03" * 32 + b"\x04" * 32
        + bytes.fromhex("0000000002255100")
        + bytes.fromhex("0000000002263b5f")
        + bytes.fromhex("0000000002255101")
        + bytes.fromhex("0000000002263b61")
        + b"\x00\x00\x02\x01"
        + b"\x01"
    )  # fmt: skip
    assert len(HEADER.encode()) == 154


def test_a_record_reads_as_it_was_written() -> None:
    assert WriteSecretRecord.decode(RECORD.encode()) == RECORD
    assert RosterRecord.decode(ROSTER.encode()) == ROSTER
    assert SegmentHeader.decode(HEADER.encode()) == HEADER


@pytest.mark.parametrize("name", ENCODED)
def test_a_record_that_is_cut_anywhere_is_refused(name: str) -> None:
    encoded, decode = ENCODED[name]
    for size in range(len(encoded)):
        with pytest.raises(RefusedError, match="RECORD_LAYOUT: the record is cut short"):
            decode(encoded[:size])


@pytest.mark.parametrize("name", ENCODED)
def test_bytes_behind_a_record_are_refused(name: str) -> None:
    encoded, decode = ENCODED[name]
    assert reason(decode, encoded + b"\x00") == "RECORD_LAYOUT"


@pytest.mark.parametrize("name", ENCODED)
def test_another_magic_or_version_is_refused(name: str) -> None:
    encoded, decode = ENCODED[name]
    assert reason(decode, b"GRMX" + encoded[4:]) == "RECORD_LAYOUT"
    assert reason(decode, encoded[:4] + b"\x02" + encoded[5:]) == "RECORD_LAYOUT"
    assert reason(decode, encoded[:4] + b"\x00" + encoded[5:]) == "RECORD_LAYOUT"


def test_no_record_reads_as_another() -> None:
    for name, (encoded, _) in ENCODED.items():
        for other, (_, decode) in ENCODED.items():
            if other != name:
                assert reason(decode, encoded) == "RECORD_LAYOUT"


def test_a_mesh_that_is_not_utf8_is_refused() -> None:
    assert reason(WriteSecretRecord.decode, RECORD.encode().replace(b"test.mesh", b"test.mes\xff")) == (
        "RECORD_LAYOUT"
    )


@pytest.mark.parametrize("life", [0, -1, 60_001, HOUR])
def test_a_write_secret_lives_at_most_sixty_seconds(life: int) -> None:
    longer = dataclasses.replace(RECORD, not_after=RECORD.not_before + life)
    assert reason(WriteSecretRecord.decode, longer.encode()) == "WRITE_SECRET_LIFE"


def test_unsorted_and_repeated_member_tags_are_refused() -> None:
    first, second, third = PLAIN.members
    for members in [(second, first, third), (first, first, third), (first, MemberTag(first.tag, "phone"))]:
        plain = dataclasses.replace(PLAIN, members=members)
        assert (
            reason(RosterRecord.decode, RosterRecord(plain, plain.encode(), b"").encode()) == "ROSTER_ORDER"
        )


def test_an_unknown_kind_of_identifier_is_refused() -> None:
    encoded = bytearray(ROSTER.encode())
    for kind in (0, 4, 255):
        encoded[5 + 96 + 4 + 32] = kind
        assert reason(RosterRecord.decode, bytes(encoded)) == "RECORD_LAYOUT"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": 0}, "SEGMENT_KIND"),
        ({"kind": 3}, "SEGMENT_KIND"),
        ({"count": 0}, "SEGMENT_COUNT"),
        ({"sent_last": 10 * HOUR - 1}, "SEGMENT_TIMES"),
        ({"sent_first": 10 * HOUR + 5, "sent_last": 10 * HOUR + 4}, "SEGMENT_TIMES"),
        ({"received_last": 10 * HOUR}, "SEGMENT_TIMES"),
        ({"sent_last": 11 * HOUR}, "SEGMENT_TIMES"),
        ({"sent_first": 10 * HOUR - 1}, "SEGMENT_TIMES"),
    ],
)
def test_a_header_that_cannot_be_is_refused(change: dict[str, int], expected: str) -> None:
    assert reason(SegmentHeader.decode, dataclasses.replace(HEADER, **change).encode()) == expected


def test_a_header_may_reach_to_the_last_millisecond_of_its_hour() -> None:
    whole = dataclasses.replace(HEADER, sent_first=10 * HOUR, sent_last=11 * HOUR - 1)
    assert SegmentHeader.decode(whole.encode()) == whole


def test_the_chain_of_write_secrets_begins_with_zeros() -> None:
    assert bytes(32) == write_secret.FIRST_PREVIOUS
