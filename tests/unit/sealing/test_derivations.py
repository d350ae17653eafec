"""What every key and tag is derived from never changes, and is never shared by two uses."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from pathlib import Path

import pytest

import garim
from garim.sealing import identity, keys, quorum, released, roster, segment, tags
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose
from garim.statements.refusal import Kind, RefusedError

MESH = "test.mesh"


def secret() -> Secret:
    return Secret(bytearray(range(32)))


def lp(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def expand(key: bytes, *fields: bytes) -> bytes:
    """HKDF-Expand of one block, written out (RFC 5869 section 2.3)."""
    return hmac.digest(key, b"".join(map(lp, fields)) + b"\x01", "sha256")


def test_the_derivation_of_segment_and_roster_keys_never_changes() -> None:
    w = bytes(range(32))
    k_seg = segment.segment_root(secret(), MESH)
    k_roster = roster.roster_root(secret(), MESH)
    assert k_seg.buffer == expand(w, b"garim/v1/segment-root", b"test.mesh")
    assert k_roster.buffer == expand(w, b"garim/v1/roster-root", b"test.mesh")
    digest = hashlib.sha256(b"header").digest()
    assert segment.segment_key(k_seg, MESH, b"header").buffer == expand(
        bytes(k_seg.buffer), b"garim/v1/segment-key", b"test.mesh", digest
    )
    assert roster.roster_key(k_roster, MESH, b"header").buffer == expand(
        bytes(k_roster.buffer), b"garim/v1/roster-key", b"test.mesh", digest
    )


def test_the_derived_values_never_change() -> None:
    k_seg = segment.segment_root(secret(), MESH)
    k_roster = roster.roster_root(secret(), MESH)
    values = [
        k_seg.buffer.hex(),
        k_roster.buffer.hex(),
        segment.segment_key(k_seg, MESH, b"header").buffer.hex(),
        roster.roster_key(k_roster, MESH, b"plain").buffer.hex(),
        tags.tag(secret(), MESH, "account", "acct-00001").hex(),
        tags.roster_asking(secret(), MESH, b"\x01" * 32, b"\x02" * 32).hex(),
        hashlib.sha256(
            identity.seal_identity(secret(), MESH, b"\x03" * 16, "P-7K4Q2-M9XAT", b"{}", b"\x04" * 16)
        ).hexdigest(),
        hashlib.sha256(quorum.wrap_private(secret(), secret(), MESH, b"\x03" * 16, b"\x04" * 16)).hexdigest(),
        released.request_digest([b"a", b"b"], [b"c"]).hex(),
    ]
    assert values == GOLDEN


GOLDEN = [
    "3f8b79ae3c41bc633b66301e302a9b6463dda66aa08b1bdd1fef016354d843f0",
    "6aa7e783bf595ea37bd1e299ae39eafcd8dfeea6a8cd47e27fe8439a5121bc20",
    "71fa76bb4d0cc3fec6bc602c9dd7eee6d5e1fcbecf4e77ef8cf711fd9f325121",
    "a5edb80bd581ced6d1a1a1707c9e15f336d15238efc8711bfbbbc497c657867c",
    "0544a63791d417fb16df2da3568eda4ae55bd9efef3c2300f8e2f907af848a74",
    "2fe28ddf335514ec30db1ab039ef3a6e644d19649d7ec387e1b9b0ca53fd3905",
    "ddf3b9da30ff2ffd4d20219960cdd741981ba754051fe5609c090a59cc5d6f7c",
    "372da835879c46f5c4f7e84ee294c72bc4c563b8298210ce69f8c8728ae3a7dc",
    "2607d65abfa4017bdb34366a4742da466d2f0ae1b9dc27e4d42f0da3ff23519d",
]


def test_a_sealed_identity_is_the_fresh_id_and_the_padded_ciphertext() -> None:
    sealed = identity.seal_identity(secret(), MESH, b"\x03" * 16, "P-7K4Q2-M9XAT", b"{}", b"\x04" * 16)
    fields = (b"test.mesh", b"\x03" * 16, b"P-7K4Q2-M9XAT", b"\x04" * 16)
    key = Secret(bytearray(expand(bytes(range(32)), b"garim/v1/identity-key", *fields)))
    associated = b"".join(map(lp, (b"garim/v1/identity", *fields)))
    padded = b"\x00\x00\x00\x02{}" + bytes(1018)
    assert sealed == b"\x04" * 16 + keys.encrypt_once(key, padded, associated)


def test_a_tag_is_bound_to_mesh_kind_and_value() -> None:
    expected = hmac.digest(
        bytes(range(32)),
        b"".join(map(lp, (b"garim/v1/tag", b"test.mesh", b"phone", b"+821000001234"))),
        "sha256",
    )
    assert tags.tag(secret(), MESH, "phone", "+82 10-0000-1234") == expected
    made = {
        tags.tag(Secret(bytearray(key)), mesh, kind, value)
        for key in (bytes(range(32)), bytes(32))
        for mesh in ("test.mesh", "other.mesh")
        for kind in ("account", "phone", "email", "conversation")
        for value in ("+821000001234", "+821000001235")
    }
    assert len(made) == 32


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("phone", "+82 10-0000-1234", "+821000001234"),
        ("phone", "+８２１００００01234", "+821000001234"),
        ("phone", "+82 (10) 0000.1234", "+821000001234"),
        ("email", "Haneul@Example.TEST", "haneul@example.test"),
        ("account", " 하늘 ", "하늘"),
        ("account", unicodedata.normalize("NFD", "하늘"), "하늘"),
    ],
)
def test_one_identifier_in_two_spellings_has_one_tag(kind: str, first: str, second: str) -> None:
    assert tags.tag(secret(), MESH, kind, first) == tags.tag(secret(), MESH, kind, second)


def test_accounts_are_told_apart_by_case() -> None:
    assert tags.tag(secret(), MESH, "account", "Haneul") != tags.tag(secret(), MESH, "account", "haneul")


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("name", "하늘", "IDENTIFIER_KIND"),
        ("account", "", "IDENTIFIER_EMPTY"),
        ("account", " ", "IDENTIFIER_EMPTY"),
        ("phone", "010-0000-1234", "IDENTIFIER_PHONE"),
        ("phone", "+82", "IDENTIFIER_PHONE"),
        ("phone", "+8210000012345678", "IDENTIFIER_PHONE"),
        ("phone", "+82x00001234", "IDENTIFIER_PHONE"),
        ("phone", "", "IDENTIFIER_PHONE"),
    ],
)
def test_what_is_no_identifier_has_no_tag(kind: str, value: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        tags.tag(secret(), MESH, kind, value)
    assert refused.value.reason == reason
    assert len(value) < 4 or value not in str(refused.value)


def test_every_purpose_is_used() -> None:
    source = "".join(
        path.read_text()
        for path in Path(garim.__file__ or "", "..").resolve().rglob("*.py")
        if path.name != "labels.py"
    )
    used = set(re.findall(r"Purpose\.([A-Z_]+)", source))
    assert used == set(Purpose.__members__)


def test_a_key_opens_only_with_its_associated_data() -> None:
    key = keys.expand(secret(), b"label")
    sealed = keys.encrypt_once(key, b"text", b"associated")
    assert keys.decrypt_once(key, sealed, b"associated") == b"text"
    for changed, associated in [
        (sealed, b"other"),
        (sealed[:-1], b"associated"),
        (b"", b"associated"),
        (sealed + b"\x00", b"associated"),
    ]:
        with pytest.raises(RefusedError) as refused:
            keys.decrypt_once(key, changed, associated)
        assert (refused.value.reason, refused.value.kind) == ("SEALING_OPEN", Kind.DATA_LOSS)


def test_the_digest_of_released_records_tells_rosters_from_headers_and_order() -> None:
    digests = {
        released.request_digest(rosters, headers)
        for rosters, headers in [
            ([b"a", b"b"], []),
            ([b"a"], [b"b"]),
            ([], [b"a", b"b"]),
            ([b"b", b"a"], []),
            ([b"ab"], []),
            ([], []),
        ]
    }
    assert len(digests) == 6
