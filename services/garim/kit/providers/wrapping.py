"""What `wrap` writes: a fresh id and one ciphertext under a key derived for it alone.

``"GKW1" ‖ id[16] ‖ AES-256-GCM(HKDF-Expand(object key, bind(provider-object, mesh, kind, object, id)))``.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from garim.kit.providers import KeyHandle
from garim.sealing.keys import ZERO_NONCE, encrypt_once, expand
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GKW1"
ID_BYTES = 16
TAG_BYTES = 16
HEAD_BYTES = len(MAGIC) + ID_BYTES


def wrap_under(
    key: Secret,
    mesh: str,
    handle: KeyHandle,
    plaintext: bytes | bytearray,
    aad: bytes,
    random_bytes: Callable[[int], bytes],
) -> bytes:
    """Encrypt under an object's key.

    Args:
        key: The object's key.
        mesh: Name of the mesh.
        handle: The object.
        plaintext: What to encrypt.
        aad: Associated data.
        random_bytes: Draws the id; must never repeat.
    """
    fresh = random_bytes(ID_BYTES)
    with expand(key, _label(mesh, handle, fresh)) as once:
        return MAGIC + fresh + encrypt_once(once, plaintext, aad)


def unwrap_under(key: Secret, mesh: str, handle: KeyHandle, blob: bytes, aad: bytes) -> Secret:
    """Decrypt what `wrap_under` made, into a buffer that its holder overwrites.

    Raises:
        RefusedError: `KEY_UNWRAP`.
    """
    if len(blob) < HEAD_BYTES + TAG_BYTES or blob[: len(MAGIC)] != MAGIC:
        raise _unwrap_refused()
    fresh, ciphertext = blob[len(MAGIC) : HEAD_BYTES], blob[HEAD_BYTES:]
    buffer = bytearray(len(ciphertext) - TAG_BYTES)
    with expand(key, _label(mesh, handle, fresh)) as once:
        try:
            AESGCM(once.buffer).decrypt_into(ZERO_NONCE, ciphertext, aad, buffer)
        except InvalidTag:
            raise _unwrap_refused() from None
    return Secret(buffer)


def _label(mesh: str, handle: KeyHandle, fresh: bytes) -> bytes:
    return bind(Purpose.PROVIDER_OBJECT, mesh, handle.kind.encode(), handle.object_id.encode(), fresh)


def _unwrap_refused() -> RefusedError:
    return RefusedError(
        "KEY_UNWRAP", "the wrapped bytes do not open under this object and binding", kind=Kind.DATA_LOSS
    )
