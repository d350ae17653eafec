"""A key is its name, its bytes and the one signature type it is trusted for."""

from __future__ import annotations

import pytest

from garim.statements.refusal import RefusedError
from garim.translog.encoding import encode_base64
from garim.translog.keys import SignatureType, VerifierKey
from unit.translog.small_log import SmallLog

LOG_VKEY = "log.example/garim+6f5d3bb0+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
WITNESS_VKEY = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"


def test_the_written_form_of_a_key_never_changes(small_log: SmallLog) -> None:
    assert small_log.log.key.vkey() == LOG_VKEY
    assert small_log.witness.key.vkey() == WITNESS_VKEY


@pytest.mark.parametrize("vkey", [LOG_VKEY, WITNESS_VKEY])
def test_a_written_key_comes_back(vkey: str) -> None:
    assert VerifierKey.parse(vkey).vkey() == vkey


def test_one_public_key_has_another_id_for_each_type_and_name() -> None:
    ids = {
        VerifierKey(name, bytes(32), kind).key_id
        for name in ("a.example", "b.example")
        for kind in SignatureType
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "log.example/garim",
        "log.example/garim+6f5d3bb0",
        LOG_VKEY.replace("6f5d3bb0", "6f5d3bb1"),
        LOG_VKEY.replace("6f5d3bb0", "6F5D3BB0"),
        LOG_VKEY.replace("garim", "other"),
        LOG_VKEY[:-1],
        LOG_VKEY + "\n",
        " " + LOG_VKEY,
        f"a.example+00000000+{encode_base64(b'')}",
        f"a.example+00000000+{encode_base64(bytes([2]) + bytes(32))}",
        f"a.example+00000000+{encode_base64(bytes([1]) + bytes(31))}",
    ],
)
def test_any_other_form_of_a_key_is_refused(vkey: str) -> None:
    with pytest.raises(RefusedError, match="LOG_KEY"):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\nb", "a\x00b", "a" * 256])
def test_a_name_that_no_signature_line_can_hold_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="LOG_KEY"):
        VerifierKey(name, bytes(32))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(RefusedError, match="LOG_KEY"):
        VerifierKey("a.example", bytes(length))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_what_is_no_signature_does_not_verify(small_log: SmallLog, signature: bytes) -> None:
    assert not small_log.log.key.verifies(b"message", signature)
