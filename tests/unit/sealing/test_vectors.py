"""The primitives that are composed here agree with Wycheproof's vectors."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from garim.sealing import keys
from garim.sealing.secret import Secret

VECTORS = Path(__file__).parents[4] / "shared" / "testdata" / "vectors" / "wycheproof"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not VECTORS.is_dir(), reason="the outside test data are absent"),
]


def cases(name: str, **wanted: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the groups with these parameters and their cases, bytes decoded."""
    for group in json.loads((VECTORS / f"{name}_test.json").read_text())["testGroups"]:
        if all(group[key] == value for key, value in wanted.items()):
            for case in group["tests"]:
                yield (
                    group,
                    {
                        key: bytes.fromhex(value)
                        if isinstance(value, str) and key not in {"result", "comment"}
                        else value
                        for key, value in case.items()
                    },
                )


def test_hkdf_expand() -> None:
    seen = 0
    for _, case in cases("hkdf_sha256"):
        if case["size"] < keys.KEY_BYTES or case["result"] != "valid":
            continue
        extracted = hmac.digest(case["salt"] or bytes(32), case["ikm"], "sha256")
        assert keys.expand(Secret(bytearray(extracted)), case["info"]).buffer == case["okm"][: keys.KEY_BYTES]
        seen += 1
    assert seen > 50


def test_aes_256_gcm() -> None:
    seen = 0
    for _, case in cases("aes_gcm", keySize=256, ivSize=96, tagSize=128):
        cipher, sealed = AESGCM(case["key"]), case["ct"] + case["tag"]
        if case["result"] == "valid":
            assert cipher.encrypt(case["iv"], case["msg"], case["aad"]) == sealed
            assert cipher.decrypt(case["iv"], sealed, case["aad"]) == case["msg"]
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(case["iv"], sealed, case["aad"])
        seen += 1
    assert seen > 50


def test_hmac_sha256() -> None:
    seen = 0
    for group, case in cases("hmac_sha256"):
        made = hmac.digest(case["key"], case["msg"], "sha256")[: group["tagSize"] // 8]
        assert hmac.compare_digest(made, case["tag"]) == (case["result"] == "valid")
        seen += 1
    assert seen > 100


def test_ed25519() -> None:
    seen = 0
    for group, case in cases("ed25519"):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        if case["result"] == "valid":
            key.verify(case["sig"], case["msg"])
        else:
            with pytest.raises(InvalidSignature):
                key.verify(case["sig"], case["msg"])
        seen += 1
    assert seen > 100


def test_x25519() -> None:
    seen = 0
    for _, case in cases("x25519"):
        private = X25519PrivateKey.from_private_bytes(case["private"])
        public = X25519PublicKey.from_public_bytes(case["public"])
        if case["shared"] == bytes(32):
            with pytest.raises(ValueError, match="shared key"):
                private.exchange(public)
        else:
            assert private.exchange(public) == case["shared"]
        seen += 1
    assert seen > 400
