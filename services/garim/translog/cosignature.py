"""Witnesses' timestamped cosignatures (C2SP tlog-cosignature v1, https://c2sp.org/tlog-cosignature)."""

from __future__ import annotations

from garim.statements.refusal import RefusedError
from garim.translog.keys import SignatureType, Signer, VerifierKey
from garim.translog.note import Note

TIMESTAMP_BYTES = 8
MAX_TIMESTAMP = 2**63 - 1


def cosign(note: Note, signer: Signer, seconds: int) -> Note:
    """Return the note with a witness's cosignature.

    A cosignature says that the witness has seen no larger consistent tree of this log: before the call, the
    caller verifies the log's signature and the consistency with its own pin, and stores the new pin.

    Args:
        note: A verified checkpoint note.
        signer: A signer of type cosignature v1.
        seconds: Time of signing, whole seconds since the Unix epoch.

    Raises:
        RefusedError: `LOG_KEY`: a signer of another type. `LOG_WITNESS`: a time that cannot be written.
    """
    _demand_type(signer.key)
    if not 0 <= seconds <= MAX_TIMESTAMP:
        raise RefusedError("LOG_WITNESS", "the time of a cosignature is outside 0 to 2^63-1 seconds")
    signature = signer.sign(cosigned_message(note.text, seconds))
    return note.with_signature(signer.key, seconds.to_bytes(TIMESTAMP_BYTES, "big") + signature)


def verify_cosignature(note: Note, key: VerifierKey) -> int | None:
    """Return when the witness cosigned, or None where the note carries no cosignature by it.

    Args:
        note: The parsed checkpoint note.
        key: The witness's key, of type cosignature v1.

    Returns:
        The latest time, whole seconds since the Unix epoch.

    Raises:
        RefusedError: `LOG_KEY`: a key of another type. `LOG_WITNESS`: an invalid cosignature by this witness.
    """
    _demand_type(key)
    return max((_verify(note.text, key, line.value) for line in note.signatures_by(key)), default=None)


def cosigned_message(text: str, seconds: int) -> bytes:
    """Return the bytes a cosignature v1 signs: header line, time line, the checkpoint's text.

    Args:
        text: The note's text with its final newline.
        seconds: Time of signing, whole seconds since the Unix epoch.
    """
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _verify(text: str, key: VerifierKey, value: bytes) -> int:
    seconds = int.from_bytes(value[:TIMESTAMP_BYTES], "big")
    if seconds > MAX_TIMESTAMP:
        raise RefusedError("LOG_WITNESS", "the time of a cosignature is beyond 2^63-1 seconds")
    if not key.verifies(cosigned_message(text, seconds), value[TIMESTAMP_BYTES:]):
        raise RefusedError("LOG_WITNESS", "a configured witness's cosignature is invalid")
    return seconds


def _demand_type(key: VerifierKey) -> None:
    if key.type is not SignatureType.COSIGNATURE_V1:
        raise RefusedError("LOG_KEY", "this key is not meant for cosignatures")
