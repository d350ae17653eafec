"""What all statements share: closed models over the exact signed bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from garim.statements import dsse, strict_json
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256 digest in lower-case hexadecimal."""

EpochId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}\Z")]
"""A random 128-bit id in lower-case hexadecimal."""

Millis = Annotated[StrictInt, Field(ge=0)]
"""Milliseconds since the Unix epoch, UTC."""

Count = Annotated[StrictInt, Field(ge=0)]
"""A number of things."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}\Z")]
"""A name within the mesh: lower-case letters, digits, dots, dashes, underscores."""

Base64 = Annotated[
    str,
    Field(
        pattern=r"^(?:[A-Za-z0-9+/]{4})*"
        r"(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?\Z"
    ),
]
"""Bytes in standard base64, padded, in the one spelling that encoding gives."""


def _field(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


_REASONS = {"extra_forbidden": "FIELD_UNKNOWN", "missing": "FIELD_MISSING"}


def refused(error: ValidationError, prefix: str = "") -> RefusedError:
    """Turn pydantic's findings into refusals that name each field but never its value.

    Args:
        error: What pydantic found.
        prefix: Path in front of every field.
    """
    reasons = [
        RefusedError(
            _REASONS.get(one["type"], "FIELD_VALUE"),
            one["msg"],
            field=_field(((prefix,) if prefix else ()) + one["loc"]),
        )
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return reasons[0] if len(reasons) == 1 else RefusedWithReasonsError(reasons)


class Closed(BaseModel):
    """A JSON object whose members are exactly these, of exactly these types."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, regex_engine="python-re"
    )

    def to_json(self) -> dict[str, object]:
        """Return the members as plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the object from parsed JSON.

        Raises:
            RefusedError: `FIELD_UNKNOWN`, `FIELD_MISSING` or `FIELD_VALUE`, each with its field; all of
                them together in a `RefusedWithReasonsError`.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise refused(error) from None

    def to_bytes(self) -> bytes:
        """Return the object's first and only serialisation, to be kept and carried from then on."""
        return strict_json.dump(self.to_json())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the object from JSON bytes.

        Raises:
            RefusedError: As `strict_json.parse_object` and `from_json`.
        """
        return cls.from_json(strict_json.parse_object(data))


class CheckpointSeen(Closed):
    """The largest checkpoint of the log that the issuer had pinned.

    Args:
        size: Number of leaves.
        root: Merkle root at that size.
    """

    size: Count
    root: Digest


class Statement(Closed):
    """What every signed statement names.

    Args:
        mesh: Name of the mesh.
        purpose: What the statement may be used for; each type fixes or restricts it.
        issued: When it was made.
        expires: From when on it counts no more; null where the type has no expiry.
        checkpoint: The issuer's largest pinned checkpoint; null only before the log's first entry.
    """

    PAYLOAD_TYPE: ClassVar[str]

    mesh: Name
    purpose: str
    issued: Millis
    expires: Millis | None
    checkpoint: CheckpointSeen | None

    def sign(self, signer: Callable[[bytes], bytes], keyid: str = "") -> dsse.Envelope:
        """Serialise once and sign.

        Args:
            signer: Signs bytes with the issuer's Ed25519 key.
            keyid: Hint for people.
        """
        return dsse.sign(self.PAYLOAD_TYPE, self.to_bytes(), signer, keyid)

    @classmethod
    def verify(cls, envelope: dsse.Envelope, keys: Iterable[bytes], *, mesh: str, now: int | None) -> Self:
        """Verify the envelope, then parse the bytes it signed.

        Args:
            envelope: What was received.
            keys: Raw Ed25519 public keys pinned for this type's issuer.
            mesh: This mesh; a statement of another is refused.
            now: Time in milliseconds at which it must not be expired; None where a later step judges
                expiry at the time of a log entry.

        Raises:
            RefusedError: As `dsse.verify`; `STATEMENT_MESH`, `STATEMENT_EXPIRED`, and those of `from_bytes`.
        """
        statement = cls.from_bytes(dsse.verify(envelope, cls.PAYLOAD_TYPE, keys))
        if statement.mesh != mesh:
            raise RefusedError("STATEMENT_MESH", "the statement belongs to another mesh", field="mesh")
        if now is not None:
            statement.demand_current(now)
        return statement

    def demand_current(self, now: int) -> None:
        """Refuse the statement from its expiry on.

        Args:
            now: Milliseconds since the Unix epoch.

        Raises:
            RefusedError: `STATEMENT_EXPIRED`.
        """
        if self.expires is not None and now >= self.expires:
            raise RefusedError("STATEMENT_EXPIRED", "the statement has expired", field="expires")


def payload_type(name: str) -> str:
    """Return the payloadType of the statement called `name`, version 1."""
    return f"application/vnd.garim.{name}.v1+json"
