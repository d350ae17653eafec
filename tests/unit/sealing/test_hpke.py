"""Sealing to a custody key: fixed suite, fixed key form, bound to what it is for."""

from __future__ import annotations

import base64
import hashlib

import pytest

from garim.sealing import hpke
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

PRIVATE = hashlib.shake_256(b"garim hpke sample").digest(96)
PUBLIC_SHA256 = "aeb759e38abe85c32714436f96439c50e1e0532ba3f75a2acfea4804d2a47bb4"
SAMPLE = base64.b64decode(
    "aIn1S+wWDv8YyU3bfuEhNZcDq+VVcm9RzYQTXMVrK71thNixnfgOrAjal9yV1RdjPoRpO7Mqjfv6wh7S1rvSD+5HnX/vSQOF"
    "CZqXfDLBbbblOhiI6gbdWvPC27Zb6GGKH2YSslqMhIjpJvF9kKstX8f/DqOtuoLw8Gw6e7DAbxoO02q/7bWEfczOsSbrtESe"
    "iGxSVvm8c7IJGx/ZIqyMUV37YGrTZK4eEP37ObiTnamDoeqmxo/XfFXYxfOGFzjkqx8BEg6/L6miGFGKcT5MNVO9UXWxsmuZ"
    "iLzkCykmwCLeCDDitND4O91Nxf3FVPO8l2r/tYGztmNzY37INGExoVVB4cOq81FaVaVykfhHgego0C8aXebioCbxNltU1EXM"
    "IUyaIB+J/vipimE//F280L5/q9VrBlImzGgWX4gdsCA1DSpCyO0l/2AQaYCOg18CoDPzkzAqoyZ3FNCRT5/8v9h5GO3OzbyQ"
    "hj1JGbdpw5nlyTeluYUWCyr8OseuJ3yg+jtUrVSpWuwuKxHlZEUTEvqN4vsql/3/TF2PXXROOyMlhI627NInGb13Eqozfgl1"
    "wN08f6VJ54DeXsVDpyuVEc5mhZ1Zz0g3v0bPnIx5XozUNccbpu/OdeIrpAJr11PDTAbu6wsceE6k+iMSdatMyhyzK2o6Tf7p"
    "Yrs7ompVWC5Gom6mJlscxQ/j+OrRHkkGZ68d0KCNdnvd7e9L/J472nOg4YJQFX43XpRoS9BmSrHQVstX+/CL9htny1PPHC3Q"
    "ksLDFp5xNyiBC0GOwZpS9+5H0HXOoyKBngaAnO7a36EsKA7ceyXGqwrM+zjsuEilKp74/CRMWHyf9hrV8iV1njwkTOe+lm05"
    "r7F+oJZQKZCvS4keMiXZMFKv8ScCvFrcd+x6TxZT0ZeKczV0FDK4rTB1kULIVXRk9MYmyGtwS8c/LCJDgiP8S2DyvuCl4yIj"
    "eBHtGH5APbnf6bUWE4BLkVwrGxgPa4PbP7yiJpB47qURmE4w38gEbWtY4c7Nu/Wblu0nT5Xvxa/DiNX4zHKnf+b6cvkmbIJU"
    "IKD4IyNaQqXWjZZir8FWzTIQ89Z3mXLnl+w8jUadERf0bN9uBnwxj3WISaSCQxyF3SAAh0buHOvumwsH69XG14ZeNH+83V48"
    "tEWV03WESPAVN/VY0bjIQD7VJmnMaWGIpaMplqbgvU1ZUQlflylbV1B/DElxRjN+tQB2764vO2lL+7Z4VaUrWsj1eIAAKz4Q"
    "BfQfCwsLrH5C4qKzqQN3iwADqUzLctCzfqHWsDLLZ7A8HqKstKhHSum1ldBJaFuAU9nDmXns5fhpxjaFqs19c8Ki97d/fCb/"
    "Y0UOVbXSRD5TWV2MOk177pOW78WLB5TvSs2/nI215qPD2LpV30GByTMpxsU7Tun2/rigA1YLoyilL+7cOA8zXr/L86/qh1rw"
    "00667Aeg+3GU3ovgGl9qzWHnN5OWROwp5+B/xbGQeUe8DNLf4+skbcbke9uFV5mVCwY04wZCJAzRuSnvOz5l8DIfFU9jAA=="
)


def private() -> Secret:
    return Secret(bytearray(PRIVATE))


def test_what_was_sealed_before_still_opens() -> None:
    assert hpke.open_sealed(SAMPLE, private(), b"info").buffer == b"sealed in 2026"


def test_the_public_key_of_a_stored_private_key_never_changes() -> None:
    public = hpke.public_key(private())
    assert len(public) == hpke.PUBLIC_BYTES == 1216
    assert hashlib.sha256(public).hexdigest() == PUBLIC_SHA256


def test_each_sealing_is_new_and_opens() -> None:
    key, public = hpke.generate()
    first, second = (hpke.seal(b"plain", public, b"info") for _ in range(2))
    assert first != second
    assert hpke.open_sealed(first, key, b"info").buffer == b"plain"
    assert b"plain" not in first


def test_another_binding_or_key_does_not_open() -> None:
    other, _ = hpke.generate()
    for key, info in [(private(), b"inf"), (private(), b""), (other, b"info")]:
        with pytest.raises(RefusedError) as refused:
            hpke.open_sealed(SAMPLE, key, info)
        assert (refused.value.reason, refused.value.kind) == ("SEALING_OPEN", Kind.DATA_LOSS)


@pytest.mark.parametrize("size", [0, 1, 100, 1120, 1136, len(SAMPLE) - 1])
def test_a_sealing_that_is_cut_does_not_open(size: int) -> None:
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        hpke.open_sealed(SAMPLE[:size], private(), b"info")


def test_bytes_behind_a_sealing_do_not_open() -> None:
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        hpke.open_sealed(SAMPLE + b"\x00", private(), b"info")


def test_keys_of_another_length_are_refused() -> None:
    public = hpke.public_key(private())
    for wrong in (b"", public[:-1], public + b"\x00"):
        with pytest.raises(RefusedError, match="KEY_LENGTH"):
            hpke.seal(b"", wrong, b"")
    for short in (bytearray(32), bytearray(95), bytearray(97)):
        with pytest.raises(RefusedError, match="KEY_LENGTH"):
            hpke.open_sealed(SAMPLE, Secret(short), b"info")
        with pytest.raises(RefusedError, match="KEY_LENGTH"):
            hpke.public_key(Secret(short))


def test_a_malformed_public_key_is_refused() -> None:
    public = hpke.public_key(private())
    for wrong in (b"\xff" * 1184 + public[1184:], public[:1184] + bytes(32)):
        with pytest.raises(RefusedError, match="KEY_VALUE"):
            hpke.seal(b"plain", wrong, b"info")
