"""Durable intents: what is about to be logged, before the log hears of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from garim.kit.ledger.tables import intents
from garim.statements import strict_json
from garim.translog.leaf import ZERO_SALT, commitment
from garim.translog.proven import LogProof


@dataclass(frozen=True, slots=True)
class Intent:
    """One attempt to log one body.

    Attributes:
        kind: Type of the log entry.
        key: The caller's idempotence key.
        attempt: From 1; a later attempt has another salt, so that the log takes it for another entry.
        body: What is committed to.
        salt: 32 bytes.
        commitment: Over salt and body.
        magnitudes: Public counts.
        sealed: Body and salt sealed to the recovery key, or None.
        time_ms: When the attempt was made, milliseconds since 1970.
        deferred: Whether the flusher logs it, once, however late.
        proof: The proof, once it is logged.
        logged_ms: Its time in the log.
        number: Its place in the order of intents; 0 before it is stored.
    """

    kind: str
    key: str
    attempt: int
    body: bytes
    salt: bytes
    commitment: bytes
    magnitudes: Mapping[str, int]
    sealed: bytes | None
    time_ms: int
    deferred: bool
    proof: LogProof | None = None
    logged_ms: int | None = None
    number: int = 0

    @property
    def is_sent_with_present_time(self) -> bool:
        """Whether it is logged once, however late: it opens nothing (deferred) or is leaf 0 (zero salt)."""
        return self.deferred or self.salt == ZERO_SALT


def of_genesis(kind: str, document: bytes, now_ms: int) -> Intent:
    """Return the one attempt to log governance as leaf 0: with zero salt, which makes it the same everywhere.

    Args:
        kind: Type of a log's first entry.
        document: Exact bytes of the version.
        now_ms: Milliseconds since 1970.
    """
    fixed = commitment(ZERO_SALT, document)
    return Intent(kind, fixed.hex(), 1, document, ZERO_SALT, fixed, {}, None, now_ms, deferred=False)


def insert(connection: sa.Connection, intent: Intent) -> None:
    """Store a new attempt; the attempts before it are never sent again."""
    same = (intents.c.kind == intent.kind) & (intents.c.key == intent.key)
    connection.execute(sa.update(intents).where(same).values(superseded=True))
    connection.execute(
        sa.insert(intents).values(
            kind=intent.kind,
            key=intent.key,
            attempt=intent.attempt,
            body=intent.body,
            salt=intent.salt,
            commitment=intent.commitment,
            magnitudes=json.dumps(dict(intent.magnitudes), sort_keys=True),
            sealed=intent.sealed,
            time_ms=intent.time_ms,
            deferred=intent.deferred,
            superseded=False,
        )
    )


def complete(connection: sa.Connection, intent: Intent, proof: LogProof, logged_ms: int) -> None:
    """Store the proof of an intent.

    Args:
        connection: An open writing transaction.
        intent: Which one.
        proof: Its verified proof.
        logged_ms: Its time in the log.
    """
    connection.execute(
        sa.update(intents)
        .where(intents.c.commitment == intent.commitment)
        .values(proof=strict_json.dump(proof.to_object()), logged_ms=logged_ms)
    )


def latest(connection: sa.Connection, kind: str, key: str) -> Intent | None:
    """Return the last attempt for a key."""
    same = (intents.c.kind == kind) & (intents.c.key == key)
    row = connection.execute(
        sa.select(intents).where(same).order_by(intents.c.attempt.desc()).limit(1)
    ).first()
    return None if row is None else _intent(row)


def by_commitment(connection: sa.Connection, commitment: bytes) -> Intent | None:
    """Return the attempt with that commitment."""
    row = connection.execute(sa.select(intents).where(intents.c.commitment == commitment)).first()
    return None if row is None else _intent(row)


def waiting(connection: sa.Connection, after: int, limit: int) -> Sequence[Intent]:
    """Return deferred intents that are not logged, the oldest first.

    Args:
        connection: An open transaction.
        after: Number of the last one that was seen; 0 for the first page.
        limit: At most this many.
    """
    unlogged = intents.c.proof.is_(None) & intents.c.superseded.is_(False) & intents.c.deferred.is_(True)
    page = sa.select(intents).where(unlogged, intents.c.id > after).order_by(intents.c.id).limit(limit)
    rows = connection.execute(page)
    return [_intent(row) for row in rows]


def _intent(row: sa.Row[tuple[object, ...]]) -> Intent:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's documented access by column
    proof = values["proof"]
    return Intent(
        kind=values["kind"],
        key=values["key"],
        attempt=values["attempt"],
        body=values["body"],
        salt=values["salt"],
        commitment=values["commitment"],
        magnitudes=json.loads(values["magnitudes"]),
        sealed=values["sealed"],
        time_ms=values["time_ms"],
        deferred=values["deferred"],
        proof=None if proof is None else LogProof.from_object(strict_json.parse_object(proof)),
        logged_ms=values["logged_ms"],
        number=values["id"],
    )
