"""A service signs only with an Ed25519 key that nobody else can read, and that governance pins."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from garim.kit.statement_key import demand_pinned, load_statement_key
from garim.statements.refusal import Kind, RefusedError


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_the_key_is_read_from_a_private_file(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    loaded = load_statement_key(write(tmp_path / "key.pem", pem(key)))
    assert loaded.private_bytes_raw() == key.private_bytes_raw()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        load_statement_key(write(tmp_path / "key.pem", pem(Ed25519PrivateKey.generate()), mode))


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="FILE_MISSING"):
        load_statement_key(tmp_path / "none.pem")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no key",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(Ed25519PrivateKey.generate(), b"passphrase"),
        Ed25519PrivateKey.generate().public_key().public_bytes_raw(),
    ],
    ids=["empty", "text", "other-kind", "encrypted", "raw"],
)
def test_what_is_no_unencrypted_ed25519_key_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        load_statement_key(write(tmp_path / "log.key", data), "checkpoint key")
    assert (refused.value.reason, refused.value.kind) == ("KEY_FILE_FORMAT", Kind.PRECONDITION)
    assert "checkpoint key" in refused.value.message


def test_a_key_that_governance_does_not_pin_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    demand_pinned(key, [key.public_key().public_bytes_raw()])
    for pinned in ([], [Ed25519PrivateKey.generate().public_key().public_bytes_raw()]):
        with pytest.raises(RefusedError, match="STATEMENT_KEY"):
            demand_pinned(key, pinned)
