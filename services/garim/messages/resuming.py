"""Where a stream stands, as a token that the caller brings back."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

from garim.messages.scope_rows import Horizon
from garim.statements.refusal import RefusedError

BINDING_BYTES = 16
_VERSION = 2
_HEAD = struct.Struct(">B17sIIII32sIIB")
_OPEN = struct.Struct(">II")
_NO_TAG = bytes(32)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Behind which item a stream stands.

    Attributes:
        epoch: Number of the epoch it stands in; 0 at the start.
        partition: Where that epoch's rows lie.
        tag: Tag of the conversation whose account was sent; zeros before the epoch's first.
        major: Batch, or in the pass over rosters the roster, from which to go on; before the first
            conversation 1 if the epoch's account was sent.
        minor: Place in the batch from which to go on.
    """

    epoch: int = 0
    partition: int = 0
    tag: bytes = _NO_TAG
    major: int = 0
    minor: int = 0

    @property
    def is_inside(self) -> bool:
        """Whether something of its epoch was sent."""
        return self.tag != _NO_TAG or self.major > 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a stream needs to go on, beside its ticket.

    Attributes:
        binding: What ties a token to its document, purpose, grant and pass.
        closed: Number of the newest epoch that was closed when the stream began.
        horizon: Up to where the store stood then.
        position: Where the stream stands.
    """

    binding: bytes
    closed: int
    horizon: Horizon
    position: Position

    def token(self, at: Position) -> str:
        """Return the token that resumes behind a position."""
        packed = _HEAD.pack(
            _VERSION,
            self.binding,
            self.closed,
            self.horizon.epochs,
            at.epoch,
            at.partition,
            at.tag,
            at.major,
            at.minor,
            len(self.horizon.open),
        )
        pairs = b"".join(_OPEN.pack(*pair) for pair in sorted(self.horizon.open.items()))
        return base64.urlsafe_b64encode(packed + pairs).decode()

    def parse(self, token: str) -> Resumed:
        """Return what a token says, where it is one of this stream's.

        Args:
            token: What the caller brought.

        Raises:
            RefusedError: `RESUME_TOKEN`: malformed, another stream's, or it reaches behind what is stored.
        """
        try:
            packed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            version, binding, closed, epochs, epoch, partition, tag, major, minor, count = _HEAD.unpack(
                packed[: _HEAD.size]
            )
            pairs = list(_OPEN.iter_unpack(packed[_HEAD.size :]))
        except (binascii.Error, struct.error, UnicodeEncodeError):
            raise _bad_token() from None
        horizon = Horizon(epochs, dict(pairs))
        if (version, binding, count) != (_VERSION, self.binding, len(horizon.open)):
            raise _bad_token()
        if not self.horizon.covers(horizon):
            raise _bad_token()
        return Resumed(binding, closed, horizon, Position(epoch, partition, tag, major, minor))


def _bad_token() -> RefusedError:
    return RefusedError(
        "RESUME_TOKEN",
        "the token is not one of this document's streams: start from the beginning",
        field="resume_token",
    )
