"""A leaf has one encoding and says nothing beyond its seven members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from garim.statements.refusal import RefusedError
from garim.statements.strict_json import dump
from garim.translog.leaf import ZERO_SALT, Leaf, commitment, commitment_to_digest, parse_leaf
from unit.translog.small_log import ACTOR

LEAF = Leaf("custody-release", 1_700_000_000_123, ACTOR, bytes(range(32)), {"keys": 3, "a": 0}, b"\x00\xff")
GOLDEN = (
    b'{"actor":"spiffe://mesh.example/service/warrants",'
    b'"commitment":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
    b'"magnitudes":{"a":0,"keys":3},"sealed":"AP8=","time":1700000000123,"type":"custody-release","version":1}'
)
MEMBERS: dict[str, Any] = {
    "actor": ACTOR,
    "commitment": bytes(range(32)).hex(),
    "magnitudes": {"a": 0, "keys": 3},
    "sealed": "AP8=",
    "time": 1700000000123,
    "type": "custody-release",
    "version": 1,
}


def test_the_bytes_of_a_leaf_never_change() -> None:
    assert LEAF.encode() == GOLDEN
    assert replace(LEAF, sealed=None).encode() == GOLDEN.replace(b'"AP8="', b"null")


def test_a_leaf_comes_back_from_its_bytes() -> None:
    assert parse_leaf(GOLDEN) == LEAF
    assert parse_leaf(GOLDEN.replace(b'"AP8="', b"null")) == replace(LEAF, sealed=None)
    assert dump(MEMBERS) == GOLDEN


@pytest.mark.parametrize(
    "data",
    [
        GOLDEN + b"\n",
        b" " + GOLDEN,
        GOLDEN.replace(b":1}", b": 1}"),
        GOLDEN.replace(b'{"a":0,"keys":3}', b'{"keys":3,"a":0}'),
        GOLDEN.replace(b"custody-release", b"custody\\u002drelease"),
    ],
)
def test_another_encoding_of_the_same_leaf_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"LOG_LEAF.*canonical"):
        parse_leaf(data)


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_a_missing_member_is_refused(name: str) -> None:
    rest = {key: value for key, value in MEMBERS.items() if key != name}
    with pytest.raises(RefusedError, match=r"LOG_LEAF.*keys"):
        parse_leaf(dump(rest))


def test_an_unknown_member_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"LOG_LEAF.*keys"):
        parse_leaf(dump({**MEMBERS, "more": 1}))


def test_a_member_twice_is_refused() -> None:
    with pytest.raises(RefusedError, match="JSON_DUPLICATE_KEY"):
        parse_leaf(GOLDEN.replace(b'"version":1', b'"version":1,"version":1'))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("actor", ""),
        ("actor", None),
        ("actor", "mesh.example/service/warrants"),
        ("actor", "spiffe://mesh.example"),
        ("actor", "spiffe://mesh.example/"),
        ("actor", "spiffe:///service"),
        ("actor", "spiffe://Mesh.example/service"),
        ("actor", "spiffe://mesh.example/service/"),
        ("actor", "spiffe://mesh.example//service"),
        ("actor", "spiffe://mesh.example/../custody"),
        ("actor", "spiffe://mesh.example/."),
        ("actor", "spiffe://mesh.example/a\n"),
        ("actor", "spiffe://mesh.example/a b"),
        ("actor", "spiffe://mesh.example/" + "a" * 2048),
        ("commitment", "00" * 31),
        ("commitment", "00" * 33),
        ("commitment", "AA" * 32),
        ("commitment", "０" * 64),
        ("commitment", None),
        ("magnitudes", []),
        ("magnitudes", None),
        ("magnitudes", {"a": -1}),
        ("magnitudes", {"a": True}),
        ("magnitudes", {"a": "1"}),
        ("magnitudes", {"": 1}),
        ("magnitudes", {"A": 1}),
        ("magnitudes", {"a b": 1}),
        ("magnitudes", {"a" * 65: 1}),
        ("magnitudes", {f"a{number}": 1 for number in range(33)}),
        ("sealed", ""),
        ("sealed", "AP8"),
        ("sealed", "AP9="),
        ("sealed", 1),
        ("sealed", 1234),
        ("time", -1),
        ("time", True),
        ("time", "1"),
        ("time", None),
        ("type", ""),
        ("type", "Grant"),
        ("type", "grant_issued"),
        ("type", "grant--issued"),
        ("type", "grant-"),
        ("type", "grant\n"),
        ("type", "a" * 65),
        ("type", 1),
        ("version", 0),
        ("version", 2),
        ("version", True),
        ("version", "1"),
    ],
)
def test_a_member_of_another_form_is_refused(name: str, value: Any) -> None:
    with pytest.raises(RefusedError, match="LOG_LEAF") as refused:
        parse_leaf(dump({**MEMBERS, name: value}))
    assert refused.value.field == name


def test_a_leaf_cannot_be_made_that_would_not_be_parsed() -> None:
    for wrong in (
        {"type": "Grant"},
        {"time_ms": -1},
        {"actor": "warrants"},
        {"commitment": bytes(31)},
        {"magnitudes": {"a": -1}},
        {"sealed": b""},
    ):
        with pytest.raises(RefusedError, match="LOG_LEAF"):
            replace(LEAF, **wrong)


def test_a_leaf_does_not_change_with_the_dictionary_it_was_made_of() -> None:
    magnitudes = {"keys": 3}
    leaf = replace(LEAF, magnitudes=magnitudes)
    magnitudes["keys"] = 4
    assert leaf.magnitudes == {"keys": 3}


def test_a_leaf_over_a_mebibyte_is_neither_written_nor_read() -> None:
    with pytest.raises(RefusedError, match="LOG_LEAF"):
        replace(LEAF, sealed=bytes(800_000)).encode()
    with pytest.raises(RefusedError, match="JSON_SIZE"):
        parse_leaf(GOLDEN.replace(b"AP8=", b"AAAA" * 300_000))


def test_the_commitment_is_the_one_the_protocol_defines() -> None:
    assert (
        commitment(ZERO_SALT, b"").hex() == "c98cd5d5bc8efec7bd6635d715c3778923ca5be9852afcf74dc862bf93f1e9df"
    )
    assert (
        commitment(bytes(range(32)), b"body").hex()
        == "ac2842d8e824d9529c5f851d85e2bee78a5d3de9ffc205dd65275dd04f12c7c9"
    )


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_or_digest_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(RefusedError, match="LOG_SALT"):
        commitment(bytes(length), b"body")
    with pytest.raises(RefusedError, match="LOG_COMMITMENT"):
        commitment_to_digest(ZERO_SALT, bytes(length))
