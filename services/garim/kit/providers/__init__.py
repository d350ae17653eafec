"""Key providers: where the keys live under which everything else is wrapped.

A provider holds objects, each with one key that never leaves it. Invariants, kept by every implementation and
tested by one contract suite (`tests/contract/test_key_providers.py`):

- what an object wrapped opens only under the same object, the same mesh and the same associated data;
- a destroyed object opens nothing ever again, also after an object of the same name is made anew, and
  `destroy` returns only after it has seen that for itself;
- destroying twice, or what never was, is no error.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Protocol

from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

_KIND = re.compile(r"[a-z][a-z-]{0,31}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class KeyHandle:
    """The name of an object; it may be stored, and says nothing about its key.

    Attributes:
        kind: What the object is for: `epoch`, `dossier`, `request`.
        object_id: Its id within the kind: letters, digits, `-` and `_`.

    Raises:
        RefusedError: `KEY_OBJECT_NAME`.
    """

    kind: str
    object_id: str

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind) or not _ID.fullmatch(self.object_id):
            raise RefusedError("KEY_OBJECT_NAME", "a key object's kind or id holds a character it may not")


class KeyProvider(Protocol):
    """A place that keeps keys and destroys them."""

    @property
    def destruction_delay_ms(self) -> int:
        """How long after `destroy` a key may still exist somewhere, in milliseconds."""
        ...

    def create_object(self, kind: str, object_id: str) -> KeyHandle:
        """Make an object with a fresh random key, durable before this returns.

        Raises:
            RefusedError: `KEY_OBJECT_EXISTS` or `KEY_OBJECT_NAME`.
        """
        ...

    def wrap(self, handle: KeyHandle, plaintext: bytes | bytearray, aad: bytes) -> bytes:
        """Encrypt under an object's key.

        Args:
            handle: The object.
            plaintext: What to encrypt: another key.
            aad: What `unwrap` must name again.

        Raises:
            RefusedError: `KEY_OBJECT_MISSING`.
        """
        ...

    def unwrap(self, handle: KeyHandle, blob: bytes, aad: bytes) -> Secret:
        """Decrypt what `wrap` made.

        Raises:
            RefusedError: `KEY_OBJECT_MISSING`, or `KEY_UNWRAP` where object, associated data or bytes are not
                those it was made with.
        """
        ...

    def destroy(self, handle: KeyHandle) -> None:
        """Destroy an object for good, and confirm that nothing opens under it any more.

        Raises:
            RefusedError: `KEY_OBJECT_NOT_DESTROYED`: the key may still exist.
        """
        ...

    def exists(self, handle: KeyHandle) -> bool:
        """Tell whether an object is there."""
        ...

    def list(self, kind: str) -> list[KeyHandle]:
        """Return the objects of a kind, by id."""
        ...


def missing(handle: KeyHandle) -> RefusedError:
    """Return the refusal for an object that is not there, or not any more."""
    return RefusedError(
        "KEY_OBJECT_MISSING",
        f"the key object {handle.kind}/{handle.object_id} does not exist or was destroyed",
        kind=Kind.NOT_FOUND,
    )


def already_there(handle: KeyHandle) -> RefusedError:
    """Return the refusal for an object that would be made twice."""
    return RefusedError(
        "KEY_OBJECT_EXISTS",
        f"the key object {handle.kind}/{handle.object_id} exists already",
        kind=Kind.EXISTS,
    )


def not_destroyed(handle: KeyHandle) -> RefusedError:
    """Return the refusal for an object that is still there after its destruction."""
    return RefusedError(
        "KEY_OBJECT_NOT_DESTROYED",
        f"the key object {handle.kind}/{handle.object_id} could not be destroyed: look at its storage",
        kind=Kind.UNAVAILABLE,
    )
