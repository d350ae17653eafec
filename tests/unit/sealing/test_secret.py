"""A secret shows nothing and is overwritten."""

from __future__ import annotations

import copy
import pickle

import pytest

from garim.sealing.secret import Secret


def test_a_secret_is_overwritten_in_place() -> None:
    buffer = bytearray(b"secret bytes")
    secret = Secret(buffer)
    secret.wipe()
    assert buffer == bytes(12)
    with pytest.raises(ValueError, match="wiped"):
        _ = secret.buffer
    secret.wipe()


def test_a_secret_is_overwritten_at_the_end_of_its_block_also_on_error() -> None:
    buffer = bytearray(b"secret bytes")
    with pytest.raises(KeyError), Secret(buffer):
        raise KeyError
    assert buffer == bytes(12)


def test_a_secret_shows_nothing() -> None:
    secret = Secret(bytearray(b"secret bytes"))
    for shown in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert "secret bytes" not in shown
        assert b"secret bytes".hex() not in shown


def test_a_secret_is_neither_pickled_nor_copied_nor_hashed() -> None:
    secret = Secret(bytearray(b"secret bytes"))
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_secrets_are_equal_by_their_bytes() -> None:
    assert Secret(bytearray(b"a")) == Secret(bytearray(b"a"))
    assert Secret(bytearray(b"a")) != Secret(bytearray(b"b"))
    assert Secret(bytearray(b"a")) != Secret(bytearray(b"aa"))
    assert Secret(bytearray(b"a")) != b"a"


def test_a_random_secret_has_its_length_and_is_never_the_same() -> None:
    drawn = [Secret.random(48) for _ in range(4)]
    assert {len(one) for one in drawn} == {48}
    assert len({bytes(one.buffer) for one in drawn}) == 4
