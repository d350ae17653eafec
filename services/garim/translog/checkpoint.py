"""Checkpoints: the log's signed statement of its size and root (C2SP tlog-checkpoint)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from garim.statements.refusal import RefusedError
from garim.translog.cosignature import verify_cosignature
from garim.translog.encoding import HASH_BYTES, decode_base64, encode_base64
from garim.translog.keys import Signer, VerifierKey
from garim.translog.note import parse_note, sign_note, verify_note
from garim.translog.tree import EMPTY_ROOT, MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of one log.

    Attributes:
        origin: Unique identifier of the log, by custom a URL without scheme.
        size: Number of leaves.
        root: Root hash, 32 bytes.

    Raises:
        RefusedError: `LOG_CHECKPOINT`.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or any(ord(mark) < 0x20 for mark in self.origin):
            raise RefusedError("LOG_CHECKPOINT", "the origin is empty or not one line", field="origin")
        if not 0 <= self.size <= MAX_SIZE:
            raise RefusedError("LOG_CHECKPOINT", "the size is outside 0 to 2^63-1", field="size")
        if len(self.root) != HASH_BYTES or (self.size == 0 and self.root != EMPTY_ROOT):
            raise RefusedError("LOG_CHECKPOINT", "the root is no root of a tree of this size", field="root")

    def text(self) -> str:
        """Return the note text that states this checkpoint."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def parse_checkpoint_text(text: str, *, allow_extensions: bool = False) -> Checkpoint:
    """Parse the text of a checkpoint note.

    Args:
        text: The note's text, verified by the caller.
        allow_extensions: Whether further lines are ignored instead of refused; no monitor can audit them.

    Raises:
        RefusedError: `LOG_CHECKPOINT`.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise RefusedError("LOG_CHECKPOINT", "a checkpoint is three lines: origin, size, root")
    origin, size, root, *extensions = lines
    if extensions and not allow_extensions:
        raise RefusedError("LOG_CHECKPOINT", "the checkpoint has extension lines, which are not taken here")
    if not _SIZE.fullmatch(size):
        raise RefusedError(
            "LOG_CHECKPOINT", "the size is not a decimal number without sign or zeros", field="size"
        )
    return Checkpoint(origin, int(size), decode_base64(root, reason="LOG_CHECKPOINT", field="root"))


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the checkpoint as a note signed by the log.

    A log signs no checkpoint that is inconsistent with one it signed before: the caller answers for that.

    Args:
        checkpoint: Origin, size and root.
        signer: The log's signer.

    Raises:
        RefusedError: `LOG_KEY`: a signer of another type.
    """
    return sign_note(checkpoint.text(), signer).encode()


def verify_checkpoint(
    note_bytes: bytes,
    log_key: VerifierKey,
    origin: str,
    *,
    witnesses: Sequence[VerifierKey] = (),
    required: Collection[str] | None = None,
    allow_extensions: bool = False,
) -> Checkpoint:
    """Return the checkpoint of a note that the log has signed and every required witness has cosigned.

    A cosignature by a configured witness that does not verify refuses the note, required or not.

    Args:
        note_bytes: The exact bytes of the note.
        log_key: The log's key from governance.
        origin: The origin from governance.
        witnesses: The witnesses' keys from governance, each another key.
        required: Names of witnesses that must have cosigned; None means all of them.
        allow_extensions: As in `parse_checkpoint_text`.

    Raises:
        RefusedError: `LOG_NOTE`, `LOG_KEY`, `LOG_SIGNATURE`, `LOG_CHECKPOINT`, `LOG_ORIGIN` or `LOG_WITNESS`.
    """
    _demand_distinct([log_key, *witnesses])
    note = parse_note(note_bytes)
    verify_note(note, log_key)
    checkpoint = parse_checkpoint_text(note.text, allow_extensions=allow_extensions)
    if checkpoint.origin != origin:
        raise RefusedError("LOG_ORIGIN", "the checkpoint is of another log", field="origin")
    present = {key.name for key in witnesses if verify_cosignature(note, key) is not None}
    demanded = {key.name for key in witnesses} if required is None else set(required)
    if not demanded <= present:
        raise RefusedError("LOG_WITNESS", "a required witness has not cosigned: fetch a newer checkpoint")
    return checkpoint


def _demand_distinct(keys: Sequence[VerifierKey]) -> None:
    """A v1 cosignature does not name its witness: one key under two names would count twice."""
    distinct_names = len({key.name for key in keys}) == len(keys)
    if not distinct_names or len({key.public_key for key in keys}) != len(keys):
        raise RefusedError(
            "LOG_KEY", "the log and its witnesses share a name or a key: configure distinct ones"
        )
