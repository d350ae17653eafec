"""Log entries: who did something of which type and when, and a commitment to what it was.

A leaf is compact UTF-8 JSON with sorted keys. Its exact bytes travel and are hashed; there is one encoding
of each leaf, and any other is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from garim.statements.refusal import RefusedError
from garim.statements.strict_json import MAX_SAFE_INTEGER, dump, parse_object
from garim.translog.encoding import HASH_BYTES, decode_base64, decode_hash, encode_base64

LEAF_VERSION = 1
MAX_LEAF_BYTES = 1024 * 1024
MAX_MAGNITUDES = 32
SALT_BYTES = 32
ZERO_SALT = bytes(SALT_BYTES)
_COMMIT_LABEL = b"garim/v1/commit"
_KEYS = frozenset({"actor", "commitment", "magnitudes", "sealed", "time", "type", "version"})
_TYPE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAGNITUDE = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_ACTOR = re.compile(r"spiffe://[a-z0-9._-]{1,255}(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._-]+)+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One log entry.

    Attributes:
        type: What was done, in kebab case (`grant-issued`).
        time_ms: When, milliseconds since the Unix epoch, UTC; given by the caller, checked by the log.
        actor: SPIFFE id of the service, from its TLS certificate.
        commitment: Result of `commitment`, 32 bytes.
        magnitudes: Counts that may be public, each at least 0.
        sealed: Custody's signed body and salt sealed to the recovery key; None for everybody else.

    Raises:
        RefusedError: `LOG_LEAF`.
    """

    type: str
    time_ms: int
    actor: str
    commitment: bytes
    magnitudes: Mapping[str, int] = field(default_factory=dict)
    sealed: bytes | None = None

    def __post_init__(self) -> None:
        _demand(len(self.type) <= 64 and _TYPE.fullmatch(self.type) is not None, "type", "not kebab case")
        _demand(_is_count(self.time_ms), "time", "not whole milliseconds since 1970")
        actor_fits = len(self.actor) <= 2048 and _ACTOR.fullmatch(self.actor) is not None
        _demand(actor_fits, "actor", "not a SPIFFE id with a path")
        _demand(len(self.commitment) == HASH_BYTES, "commitment", f"not {HASH_BYTES} bytes long")
        _demand(len(self.magnitudes) <= MAX_MAGNITUDES, "magnitudes", f"more than {MAX_MAGNITUDES}")
        for name, value in self.magnitudes.items():
            _demand(len(name) <= 64 and _MAGNITUDE.fullmatch(name) is not None, "magnitudes", "a bad name")
            _demand(_is_count(value), "magnitudes", "not a whole number from 0")
        _demand(self.sealed is None or len(self.sealed) > 0, "sealed", "empty: write null")
        object.__setattr__(self, "magnitudes", MappingProxyType(dict(self.magnitudes)))

    def encode(self) -> bytes:
        """Return the leaf's one encoding: the bytes that travel and are hashed.

        Raises:
            RefusedError: `LOG_LEAF`: larger than a leaf may be.
        """
        data = dump(
            {
                "actor": self.actor,
                "commitment": self.commitment.hex(),
                "magnitudes": dict(self.magnitudes),
                "sealed": None if self.sealed is None else encode_base64(self.sealed),
                "time": self.time_ms,
                "type": self.type,
                "version": LEAF_VERSION,
            }
        )
        _demand(len(data) <= MAX_LEAF_BYTES, "sealed", f"the leaf is larger than {MAX_LEAF_BYTES} bytes")
        return data


def parse_leaf(data: bytes) -> Leaf:
    """Parse a leaf from its exact bytes.

    Args:
        data: The bytes that the log hashed.

    Raises:
        RefusedError: `LOG_LEAF`: unknown or missing keys, values of another form, another encoding of the
            same leaf; or a reason of `strict_json.parse_object`.
    """
    members = parse_object(data, max_bytes=MAX_LEAF_BYTES)
    _demand(members.keys() == _KEYS, "", "unknown or missing keys")
    _demand(_is_count(members["version"]) and members["version"] == LEAF_VERSION, "version", "not 1")
    _demand(isinstance(members["magnitudes"], dict), "magnitudes", "not an object")
    sealed = members["sealed"]
    leaf = Leaf(
        type=_text(members, "type"),
        time_ms=members["time"],
        actor=_text(members, "actor"),
        commitment=decode_hash(_text(members, "commitment"), reason="LOG_LEAF", field="commitment"),
        magnitudes=members["magnitudes"],
        sealed=None
        if sealed is None
        else decode_base64(_text(members, "sealed"), reason="LOG_LEAF", field="sealed"),
    )
    _demand(leaf.encode() == data, "", "not the canonical encoding")
    return leaf


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return SHA-256("garim/v1/commit" ‖ salt ‖ SHA-256(body)).

    Args:
        salt: 32 random bytes of the caller; `ZERO_SALT` for leaf 0 alone.
        body: The exact bytes committed to.

    Raises:
        RefusedError: `LOG_SALT`.
    """
    return commitment_to_digest(salt, hashlib.sha256(body).digest())


def commitment_to_digest(salt: bytes, digest: bytes) -> bytes:
    """Return the commitment to a body of which only the SHA-256 digest is known.

    Args:
        salt: 32 bytes.
        digest: 32 bytes.

    Raises:
        RefusedError: `LOG_SALT`, `LOG_COMMITMENT`.
    """
    if len(salt) != SALT_BYTES:
        raise RefusedError("LOG_SALT", f"the salt is not {SALT_BYTES} bytes long", field="salt")
    if len(digest) != HASH_BYTES:
        raise RefusedError("LOG_COMMITMENT", f"the digest is not {HASH_BYTES} bytes long", field="digest")
    return hashlib.sha256(_COMMIT_LABEL + salt + digest).digest()


def _demand(holds: bool, name: str, wrong: str) -> None:
    if not holds:
        raise RefusedError("LOG_LEAF", f"a log entry is malformed: {wrong}", field=name)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SAFE_INTEGER


def _text(members: dict[str, Any], name: str) -> str:
    value = members[name]
    _demand(isinstance(value, str), name, "not a string")
    return str(value)
