"""Signed notes: a text and signature lines below it (C2SP signed-note, https://c2sp.org/signed-note)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from garim.statements.refusal import RefusedError
from garim.translog.encoding import decode_base64, encode_base64
from garim.translog.keys import SignatureType, Signer, VerifierKey, is_key_name

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
KEY_ID_BYTES = 4
_LINE_START = "— "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: Name of the key.
        key_id: Four bytes; with the name it says which key and type this claims to be.
        value: What the signature type defines.
    """

    name: str
    key_id: bytes
    value: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Tell whether this line claims to be by `key`; says nothing about its validity."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note, not yet verified: its text means nothing before `verify_note`.

    Attributes:
        text: The signed text, ending in a newline.
        signatures: The signature lines, in their order.
    """

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Return the exact bytes of the note."""
        lines = [
            f"{_LINE_START}{line.name} {encode_base64(line.key_id + line.value)}\n"
            for line in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}".encode()

    def signatures_by(self, key: VerifierKey) -> list[Signature]:
        """Return the lines that claim to be by `key`."""
        return [line for line in self.signatures if line.is_by(key)]

    def with_signature(self, key: VerifierKey, value: bytes) -> Note:
        """Return the note with one more signature line.

        Args:
            key: Who signed.
            value: The signature as the key's type defines it.
        """
        return replace(self, signatures=(*self.signatures, Signature(key.name, key.key_id, value)))


def parse_note(data: bytes) -> Note:
    """Parse a note; nothing is verified yet.

    Args:
        data: The exact bytes.

    Raises:
        RefusedError: `LOG_NOTE`.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise RefusedError("LOG_NOTE", f"the note is larger than {MAX_NOTE_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("LOG_NOTE", "the note is not UTF-8") from None
    text, _, signed = whole.rpartition("\n\n")
    if not signed.endswith("\n"):
        raise RefusedError("LOG_NOTE", "the note does not end in signature lines below an empty line")
    lines = signed[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise RefusedError("LOG_NOTE", f"the note has more than {MAX_SIGNATURES} signatures")
    note = Note(text + "\n", tuple(_parse_line(line) for line in lines))
    _demand_text(note.text)
    return note


def verify_note(note: Note, key: VerifierKey) -> None:
    """Demand a valid signature by `key`; lines of other keys are ignored.

    Args:
        note: The parsed note.
        key: The configured key, of type Ed25519.

    Raises:
        RefusedError: `LOG_KEY`: a key of another type. `LOG_SIGNATURE`: none by this key, or an invalid one.
    """
    if key.type is not SignatureType.ED25519:
        raise RefusedError("LOG_KEY", "this key is trusted for cosignatures, not for signing notes")
    lines = note.signatures_by(key)
    if not lines:
        raise RefusedError("LOG_SIGNATURE", "the note carries no signature by the configured key")
    if not all(key.verifies(note.text.encode(), line.value) for line in lines):
        raise RefusedError("LOG_SIGNATURE", "the note's signature by the configured key is invalid")


def sign_note(text: str, signer: Signer) -> Note:
    """Return the note with `text` and one signature.

    Args:
        text: The text, ending in a newline.
        signer: A signer of type Ed25519.

    Raises:
        RefusedError: `LOG_NOTE`: text that a note cannot hold. `LOG_KEY`: a signer of another type.
    """
    _demand_text(text)
    if signer.key.type is not SignatureType.ED25519:
        raise RefusedError("LOG_KEY", "this key is meant for cosignatures, not for signing notes")
    return Note(text, ()).with_signature(signer.key, signer.sign(text.encode()))


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START) or not is_key_name(name):
        raise RefusedError("LOG_NOTE", "a signature line is not: em dash, key name, base64")
    data = decode_base64(encoded, reason="LOG_NOTE", field="signature")
    if len(data) <= KEY_ID_BYTES:
        raise RefusedError("LOG_NOTE", "a signature line holds no signature")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _demand_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n" or any(ord(mark) < 0x20 and mark != "\n" for mark in text):
        raise RefusedError(
            "LOG_NOTE", "a note's text is not empty, ends in a newline, has no control characters"
        )
