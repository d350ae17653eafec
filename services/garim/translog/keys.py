"""Keys of logs and witnesses: Ed25519 verifier keys with their names (C2SP signed-note, "Verifier keys")."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from garim.statements.refusal import RefusedError
from garim.translog.encoding import decode_base64, encode_base64

PUBLIC_KEY_BYTES = 32
MAX_NAME_LENGTH = 255


class SignatureType(enum.IntEnum):
    """Signature type identifier bytes of C2SP signed-note that Garim takes; there is no negotiation."""

    ED25519 = 0x01
    """The log's signature over the note's text."""
    COSIGNATURE_V1 = 0x04
    """A witness's timestamped signature over a checkpoint."""


def is_key_name(name: str) -> bool:
    """Tell whether `name` may name a key: not empty, no Unicode spaces, no plus, no control characters."""
    return (
        0 < len(name) <= MAX_NAME_LENGTH
        and "+" not in name
        and not any(mark.isspace() or ord(mark) < 0x20 for mark in name)
    )


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the signature type it is trusted for.

    Attributes:
        name: Name in the signature line, by custom a URL without scheme (`log.example/garim`).
        public_key: 32 bytes (RFC 8032).
        type: The one signature type that this key verifies.

    Raises:
        RefusedError: `LOG_KEY`.
    """

    name: str
    public_key: bytes
    type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise RefusedError("LOG_KEY", "a key's name is empty, too long or holds spaces or a plus")
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise RefusedError("LOG_KEY", f"an Ed25519 public key is {PUBLIC_KEY_BYTES} bytes long")

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._material()).digest()[:4]

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Return the key written as `name+keyid+base64(type ‖ public key)`.

        Args:
            vkey: The line, without a newline.

        Raises:
            RefusedError: `LOG_KEY`: another form or type, or a key id that is not this key's.
        """
        name, _, rest = vkey.partition("+")
        key_id, _, material = rest.partition("+")
        data = decode_base64(material, reason="LOG_KEY", field="vkey")
        if not data or data[0] not in set(SignatureType):
            raise RefusedError("LOG_KEY", "the key's signature type is neither Ed25519 nor cosignature v1")
        key = cls(name, data[1:], SignatureType(data[0]))
        if key.key_id.hex() != key_id:
            raise RefusedError(
                "LOG_KEY", "the key id does not belong to this name and key: copy the line anew"
            )
        return key

    def vkey(self) -> str:
        """Return the key as one line, as `parse` reads it."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._material())}"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's Ed25519 signature over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _material(self) -> bytes:
        return bytes([self.type]) + self.public_key


@dataclass(frozen=True, slots=True)
class Signer:
    """A verifier key with the means to sign; the private key may lie in a key provider.

    Attributes:
        key: Whose signatures these are.
        sign: Returns the 64-byte Ed25519 signature over the given bytes.
    """

    key: VerifierKey
    sign: Callable[[bytes], bytes]

    @classmethod
    def of_private_key(
        cls,
        name: str,
        private_key: Ed25519PrivateKey,
        signature_type: SignatureType = SignatureType.ED25519,
    ) -> Signer:
        """Return the signer of a private key held in this process.

        Args:
            name: Name in the signature line.
            private_key: The Ed25519 key.
            signature_type: What the key is trusted for.
        """
        public_key = private_key.public_key().public_bytes_raw()
        return cls(VerifierKey(name, public_key, signature_type), private_key.sign)
