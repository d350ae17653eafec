"""Custody's own log entries: each carries its signed body and salt, sealed to the recovery key.

So a custody whose database was restored can learn from the log what it had done, and nobody else can.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from garim.custody.kinds import recovery_binding
from garim.custody.ports import Log
from garim.kit.clock import Clock
from garim.kit.ledger import LoggedEntry
from garim.sealing import hpke
from garim.statements import dsse, strict_json
from garim.statements.model import CheckpointSeen, payload_type
from garim.statements.refusal import Kind, RefusedError

MAX_CLOCK_DIFFERENCE_MS = 120_000
BODY_TYPE = payload_type("custody-body")


class Journal:
    """Appends custody's entries.

    Args:
        log: The service's end of the log.
        mesh: Name of the mesh.
        clock: Custody's own clock.
        recovery_public: HPKE public key to which bodies are sealed.
        sign: Signs with custody's statement key.
    """

    def __init__(
        self, log: Log, mesh: str, clock: Clock, recovery_public: bytes, sign: Callable[[bytes], bytes]
    ) -> None:
        self._log = log
        self._mesh = mesh
        self._clock = clock
        self._recovery_public = recovery_public
        self._sign = sign

    def append(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] | None = None,
        beside: bytes = b"",
    ) -> LoggedEntry:
        """Log something before it takes effect.

        Args:
            kind: Type of the entry.
            body: Exact bytes that are committed to.
            key: Idempotence key; the same key and body again is the same entry.
            magnitudes: Numbers that may be public.
            beside: What a restored custody needs besides the body; it is not committed to.

        Raises:
            RefusedError: `LOG_UNAVAILABLE`, `LOG_FORK`, or `LOG_TIME`: the entry's time and custody's clock
                differ by more than two minutes, so nothing is released or destroyed.
        """
        logged = self._log.append(
            kind,
            body,
            key=key,
            magnitudes=magnitudes or {},
            sealed=self._sealing(kind, beside),
        )
        if abs(logged.time_ms - self._clock.now_ms()) > MAX_CLOCK_DIFFERENCE_MS:
            raise RefusedError(
                "LOG_TIME",
                "the log entry's time differs from custody's clock by over two minutes: set the clock",
                kind=Kind.UNAVAILABLE,
            )
        return logged

    def later(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] | None = None,
        beside: bytes = b"",
        within: Connection | None = None,
    ) -> None:
        """Log, as soon as the log answers, something that acts at once.

        Args:
            kind: Type of the entry.
            body: Exact bytes that are committed to.
            key: Idempotence key.
            magnitudes: Numbers that may be public.
            beside: As in `append`.
            within: The transaction that makes the action durable.
        """
        self._log.later(
            kind,
            body,
            key=key,
            magnitudes=magnitudes or {},
            sealed=self._sealing(kind, beside),
            within=within,
        )

    def checkpoint(self) -> CheckpointSeen | None:
        """Return the largest pinned checkpoint, which statements name."""
        return self._log.checkpoint_seen()

    def _sealing(self, kind: str, beside: bytes) -> Callable[[bytes, bytes], bytes]:
        return lambda body, salt: self._seal(kind, body, salt, beside)

    def _seal(self, kind: str, body: bytes, salt: bytes, beside: bytes) -> bytes:
        payload = strict_json.dump(
            {
                "beside": base64.b64encode(beside).decode(),
                "body": base64.b64encode(body).decode(),
                "kind": kind,
                "mesh": self._mesh,
                "salt": salt.hex(),
            }
        )
        signed = dsse.to_bytes(dsse.sign(BODY_TYPE, payload, self._sign))
        return hpke.seal(signed, self._recovery_public, recovery_binding(self._mesh, kind))
