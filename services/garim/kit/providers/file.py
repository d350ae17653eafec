"""The file provider: one file an object, its owner's alone, overwritten when the object is destroyed.

``<folder>/<kind>/<id>.key`` holds ``"GKO1" ‖ wrapped[1] ‖ key``. With a passphrase the key is wrapped under
a root key that scrypt (RFC 7914) makes of it; ``<folder>/provider`` holds the salt, the cost and a check
value, so that a wrong passphrase shows at the start. Overwriting reaches the file's blocks as the file
system presents them: on storage that copies on write, older blocks live until they are reused. Such storage
needs disk encryption with a key of its own, or another provider.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from garim.kit.files import check_private, sync_folder
from garim.kit.providers import KeyHandle, already_there, missing, not_destroyed
from garim.kit.providers.passphrase import SCRYPT_LOG2_COST, open_root
from garim.kit.providers.wrapping import unwrap_under, wrap_under
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GKO1"
KEY_BYTES = 32
LARGEST_OBJECT = 256
_PLAIN, _WRAPPED = b"\x00", b"\x01"
_OBJECT_AAD = b"object"


class FileKeyProvider:
    """A `KeyProvider` in a folder; one process at a time uses it.

    Args:
        folder: The folder, mode 0700; made if absent.
        mesh: Name of the mesh, bound into everything wrapped.
        passphrase: Protects the objects; None leaves that to the file system. Wiped by the caller.
        random_bytes: Draws ids that never repeat.
        scrypt_log2_cost: Cost of a new folder's passphrase, as a power of two.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `KEY_FOLDER`, `KEY_PASSPHRASE_WRONG`, `KEY_PASSPHRASE_MISSING` or
            `KEY_PASSPHRASE_UNUSED`.
    """

    destruction_delay_ms = 0

    def __init__(
        self,
        folder: Path,
        mesh: str,
        passphrase: Secret | None = None,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        scrypt_log2_cost: int = SCRYPT_LOG2_COST,
    ) -> None:
        self._folder = folder
        self._mesh = mesh
        self._random_bytes = random_bytes
        _make_private_folder(folder)
        self._root = open_root(folder / "provider", mesh, passphrase, random_bytes, scrypt_log2_cost)
        self._remove_leftovers()

    def create_object(self, kind: str, object_id: str) -> KeyHandle:
        """Make an object; see `KeyProvider`."""
        handle = KeyHandle(kind, object_id)
        place = self._place(handle)
        _make_private_folder(place.parent)
        if place.exists():
            raise already_there(handle)
        with Secret.random(KEY_BYTES) as key:
            stored = bytearray(MAGIC)
            if self._root is None:
                stored += _PLAIN + key.buffer
            else:
                stored += _WRAPPED + wrap_under(
                    self._root, self._mesh, handle, key.buffer, _OBJECT_AAD, self._random_bytes
                )
            # Written whole under another name first: an object is there completely or not at all.
            with Secret(stored):
                _write_new(place.with_suffix(".new"), stored)
        try:
            os.link(place.with_suffix(".new"), place)
        except FileExistsError:
            raise already_there(handle) from None
        finally:
            place.with_suffix(".new").unlink()
        sync_folder(place.parent)
        return handle

    def wrap(self, handle: KeyHandle, plaintext: bytes | bytearray, aad: bytes) -> bytes:
        """Encrypt under an object's key; see `KeyProvider`."""
        with self._key(handle) as key:
            return wrap_under(key, self._mesh, handle, plaintext, aad, self._random_bytes)

    def unwrap(self, handle: KeyHandle, blob: bytes, aad: bytes) -> Secret:
        """Decrypt what `wrap` made; see `KeyProvider`."""
        with self._key(handle) as key:
            return unwrap_under(key, self._mesh, handle, blob, aad)

    def destroy(self, handle: KeyHandle) -> None:
        """Overwrite and remove an object's file, and confirm it; see `KeyProvider`."""
        probe = self._probe(handle)
        place = self._place(handle)
        with contextlib.suppress(FileNotFoundError):
            _overwrite(place)
            place.unlink()
        if place.parent.exists():
            sync_folder(place.parent)
        self._confirm_destroyed(handle, probe)

    def exists(self, handle: KeyHandle) -> bool:
        """Tell whether an object's file is there."""
        return self._place(handle).exists()

    def list(self, kind: str) -> list[KeyHandle]:
        """Return the objects of a kind, by id."""
        KeyHandle(kind, "x")  # refuses a kind that would lead out of the folder
        return sorted(KeyHandle(kind, path.stem) for path in (self._folder / kind).glob("*.key"))

    def close(self) -> None:
        """Overwrite the root key in memory."""
        if self._root is not None:
            self._root.wipe()

    def _place(self, handle: KeyHandle) -> Path:
        return self._folder / handle.kind / f"{handle.object_id}.key"

    @contextlib.contextmanager
    def _key(self, handle: KeyHandle) -> Iterator[Secret]:
        with Secret(self._stored(handle)) as stored:
            head, body = bytes(stored.buffer[: len(MAGIC) + 1]), bytearray(stored.buffer[len(MAGIC) + 1 :])
        if head == MAGIC + _PLAIN and len(body) == KEY_BYTES and self._root is None:
            key = Secret(body)
        elif head == MAGIC + _WRAPPED and self._root is not None:
            key = unwrap_under(self._root, self._mesh, handle, bytes(body), _OBJECT_AAD)
        elif not any(head):
            raise missing(handle)  # overwritten by a destruction that a crash cut short
        else:
            raise RefusedError(
                "KEY_OBJECT_DAMAGED",
                f"the key object {handle.kind}/{handle.object_id} is damaged: restore its file",
                kind=Kind.DATA_LOSS,
            )
        with key:
            yield key

    def _stored(self, handle: KeyHandle) -> bytearray:
        place = self._place(handle)
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise missing(handle) from None
        with io.FileIO(descriptor) as file:
            status = os.fstat(descriptor)
            check_private(status, place, "key object")
            buffer = bytearray(min(status.st_size, LARGEST_OBJECT))
            file.readinto(buffer)
            return buffer

    def _probe(self, handle: KeyHandle) -> bytes | None:
        try:
            return self.wrap(handle, b"probe", b"")
        except RefusedError:
            return None  # nothing there that could still open anything, or not any more

    def _confirm_destroyed(self, handle: KeyHandle, probe: bytes | None) -> None:
        if self.exists(handle):
            raise not_destroyed(handle)
        if probe is None:
            return
        try:
            self.unwrap(handle, probe, b"").wipe()
        except RefusedError:
            return
        raise not_destroyed(handle)

    def _remove_leftovers(self) -> None:
        for path in self._folder.glob("*/*.new"):
            if path.stat().st_nlink == 1:
                _overwrite(path)
            path.unlink()


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise RefusedError(
            "KEY_FOLDER", f"the key folder {folder} cannot be made: {error.strerror}", kind=Kind.PRECONDITION
        ) from None
    check_private(folder.stat(), folder, "key folder")


def _write_new(path: Path, data: bytearray) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with io.FileIO(descriptor, "w") as file:
        file.write(data)
        os.fsync(descriptor)


def _overwrite(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with io.FileIO(descriptor, "w") as file:
        file.write(bytes(os.fstat(descriptor).st_size))
        os.fsync(descriptor)
