from __future__ import annotations

import pytest

from garim.kit.providers import KeyHandle
from garim.kit.providers.wrapping import unwrap_under, wrap_under
from garim.sealing.secret import Secret
from garim.statements.refusal import RefusedError

HANDLE = KeyHandle("epoch", "e1")


def key() -> Secret:
    return Secret(bytearray(range(32)))


def wrapped() -> bytes:
    return wrap_under(key(), "test.mesh", HANDLE, b"secret", b"binding", lambda size: b"\x07" * size)


def test_the_format_is_what_earlier_versions_wrote() -> None:
    assert (
        wrapped().hex()
        == "474b573107070707070707070707070707070707a484749678f3fa51a0384d54403714a641c5fe48927a"
    )
    assert bytes(unwrap_under(key(), "test.mesh", HANDLE, wrapped(), b"binding").buffer) == b"secret"


@pytest.mark.parametrize(
    ("mesh", "handle", "aad"),
    [
        ("other.mesh", HANDLE, b"binding"),
        ("test.mesh", KeyHandle("dossier", "e1"), b"binding"),
        ("test.mesh", KeyHandle("epoch", "e2"), b"binding"),
        ("test.mesh", HANDLE, b""),
    ],
)
def test_even_the_same_key_opens_nothing_bound_elsewhere(mesh: str, handle: KeyHandle, aad: bytes) -> None:
    with pytest.raises(RefusedError, match="KEY_UNWRAP"):
        unwrap_under(key(), mesh, handle, wrapped(), aad)
