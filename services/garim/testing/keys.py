"""A key provider in memory that keeps the contract of the real ones."""

from __future__ import annotations

import secrets

from garim.kit.providers import KeyHandle, already_there, missing
from garim.kit.providers.wrapping import unwrap_under, wrap_under
from garim.sealing.secret import Secret


class MemoryKeyProvider:
    """A `garim.kit.providers.KeyProvider` whose objects end with the process.

    Args:
        mesh: Name of the mesh, bound into everything wrapped.
    """

    destruction_delay_ms = 0

    def __init__(self, mesh: str) -> None:
        self._mesh = mesh
        self._keys: dict[KeyHandle, Secret] = {}

    def create_object(self, kind: str, object_id: str) -> KeyHandle:
        """Make an object; see `KeyProvider`."""
        handle = KeyHandle(kind, object_id)
        if handle in self._keys:
            raise already_there(handle)
        self._keys[handle] = Secret.random()
        return handle

    def wrap(self, handle: KeyHandle, plaintext: bytes | bytearray, aad: bytes) -> bytes:
        """Encrypt under an object's key; see `KeyProvider`."""
        return wrap_under(self._key(handle), self._mesh, handle, plaintext, aad, secrets.token_bytes)

    def unwrap(self, handle: KeyHandle, blob: bytes, aad: bytes) -> Secret:
        """Decrypt what `wrap` made; see `KeyProvider`."""
        return unwrap_under(self._key(handle), self._mesh, handle, blob, aad)

    def destroy(self, handle: KeyHandle) -> None:
        """Overwrite an object's key and forget it; see `KeyProvider`."""
        key = self._keys.pop(handle, None)
        if key is not None:
            key.wipe()

    def exists(self, handle: KeyHandle) -> bool:
        """Tell whether an object is there."""
        return handle in self._keys

    def list(self, kind: str) -> list[KeyHandle]:
        """Return the objects of a kind, by id."""
        KeyHandle(kind, "x")
        return sorted(handle for handle in self._keys if handle.kind == kind)

    def _key(self, handle: KeyHandle) -> Secret:
        if handle not in self._keys:
            raise missing(handle)
        return self._keys[handle]
