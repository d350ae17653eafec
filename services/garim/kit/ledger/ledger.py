"""The ledger: log first, then act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from garim.api.audit.v1 import audit_pb2 as pb
from garim.kit.clock import Clock
from garim.kit.convert import pin_to
from garim.kit.db import Database
from garim.kit.governance import ENTRY_GENESIS, GovernanceView, LogKeys, log_keys
from garim.kit.ledger import intents
from garim.kit.ledger.answers import as_data_loss, demand_contents, demand_same
from garim.kit.ledger.intents import Intent
from garim.kit.ledger.log import AuditLog, ask, fork
from garim.kit.ledger.pins import Pins, seen
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint, parse_checkpoint_text, verify_checkpoint
from garim.translog.leaf import SALT_BYTES, ZERO_SALT, Leaf, commitment
from garim.translog.note import parse_note
from garim.translog.proven import LogProof, verify_logged

TOLERANCE_MS = 120_000
_BATCH = 100
_NONE: Mapping[str, int] = MappingProxyType({})

Sealing = Callable[[bytes, bytes], bytes]
"""Seals body and salt to the recovery key."""


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry that is in the log, verified and pinned.

    Attributes:
        proof: What proves it to others.
        time_ms: Its time in the log: the one by which expiry is judged.
        index: Its place.
    """

    proof: LogProof
    time_ms: int
    index: int


class Ledger:
    """One service's access to the log; safe to use from several threads.

    Never call `append`, `verify` or `flush` inside an open transaction of the same database: they open
    their own.

    Args:
        log: The audit service's stub.
        governance: Names the log, its keys and its first leaf.
        actor: This service's SPIFFE id, which its entries must carry.
        database: The service's own, with this package's tables.
        clock: Own time, against which the log's is checked.
        random_bytes: Draws salts.
    """

    def __init__(
        self,
        log: AuditLog,
        *,
        governance: GovernanceView,
        actor: str,
        database: Database,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._log = log
        self._governance = governance
        self._actor = actor
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._pins = Pins(database, log, governance, clock)
        self._wake: Callable[[], None] = lambda: None

    def append(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] = _NONE,
        sealed: Sealing | None = None,
    ) -> LoggedEntry:
        """Log a body and return its proof, no older than two minutes.

        Args:
            kind: Type of the entry, kebab case.
            body: What is committed to.
            key: Idempotence key: the same kind, key and body again is the same entry while that is younger
                than two minutes and its log has no successor, and the next attempt afterwards.
            magnitudes: Public counts.
            sealed: Seals body and salt into the leaf; custody alone.

        Raises:
            RefusedError: `LOG_KEY_REUSED` (exists): the key has another body. `LOG_LEAF`: kind or magnitudes
                are malformed. `LOG_UNAVAILABLE`: try again. `LOG_TIME`: clocks differ by two minutes. Data
                loss: `LOG_FORK`, `LOG_GENESIS`, or why the log's answer proves nothing.
        """
        return self._logged(self._intended(kind, body, key, magnitudes, sealed))

    def begin(self, document: bytes) -> LoggedEntry:
        """Log governance as leaf 0 of an empty log; custody alone.

        Args:
            document: Exact bytes of version 1, or of the version that names a log which succeeds another.

        Raises:
            RefusedError: As `append`.
        """
        now_ms = self._clock.now_ms()
        with self._database.writing() as connection:
            fresh = intents.of_genesis(ENTRY_GENESIS, document, now_ms)
            intent = intents.by_commitment(connection, fresh.commitment)
            if intent is None:
                intent = fresh
                intents.insert(connection, intent)
        return self._logged(intent)

    def begin_under(self, governance: GovernanceView, document: bytes) -> LoggedEntry:
        """Log a version as leaf 0 of the log that succeeds another, before that version is in force.

        Args:
            governance: The chain as it will be.
            document: The version's exact bytes.

        Raises:
            RefusedError: As `begin`; `LOG_FORK`: the version does not carry our pin of the former log.
        """
        ahead = Ledger(
            self._log,
            governance=governance,
            actor=self._actor,
            database=self._database,
            clock=self._clock,
            random_bytes=self._random_bytes,
        )
        return ahead.begin(document)

    def later(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] = _NONE,
        sealed: Sealing | None = None,
        within: sa.Connection | None = None,
    ) -> None:
        """Take note of what closes something and acts at once; the flusher logs it when the log answers.

        Args:
            kind: Type of the entry.
            body: What is committed to.
            key: Idempotence key: the same kind, key and body again changes nothing.
            magnitudes: Public counts.
            sealed: As in `append`.
            within: The writing transaction that makes the action itself durable; None opens one.

        Raises:
            RefusedError: `LOG_KEY_REUSED`, `LOG_LEAF`.
        """
        fresh = self._attempt(kind, body, key, 1, magnitudes, sealed, deferred=True)
        if within is not None:
            self._note(within, fresh)
        else:
            with self._database.writing() as connection:
                self._note(connection, fresh)
        self._wake()

    def verify(self, body: bytes, proof: LogProof, *, kind: str, actor: str) -> Leaf:
        """Demand that somebody has logged `body`, in the one history that this service has pinned.

        Args:
            body: The exact bytes, for a statement its payload.
            proof: What travelled beside them.
            kind: The type that it must be logged under.
            actor: SPIFFE id of who must have logged it.

        Returns:
            The leaf, whose time and magnitudes now count; the proof's checkpoint is pinned.

        Raises:
            RefusedError: `LOG_SUCCEEDED`: it lies in a log that another has succeeded. The reasons of
                `verify_logged`; `LOG_FORK` and `LOG_GENESIS` (data loss), `LOG_UNAVAILABLE`.
        """
        if self.is_succeeded(proof):
            raise RefusedError(
                "LOG_SUCCEEDED",
                "the proof is of a log that another has succeeded: start again, so that it is logged anew",
                kind=Kind.PRECONDITION,
                field="proof",
            )
        leaf, checkpoint = self._proven(body, proof, kind, actor, self._keys())
        self._pins.accept(proof.checkpoint, checkpoint)
        return leaf

    def is_succeeded(self, proof: LogProof) -> bool:
        """Tell whether a proof claims a log that another has succeeded: who logged it has to log it anew.

        Raises:
            RefusedError: `LOG_NOTE`, `LOG_CHECKPOINT`; those of the governance source.
        """
        claimed = parse_checkpoint_text(parse_note(proof.checkpoint).text)
        return self._governance.carried_pins(claimed.origin) is not None

    def checkpoint_seen(self) -> CheckpointSeen | None:
        """Return the largest pinned checkpoint of the log in force, as statements name it."""
        return seen(self._pins.current(self._keys().origin))

    def refresh(self) -> CheckpointSeen:
        """Fetch and pin the newest checkpoint; tells the log our pin, which it waits for after a start.

        Raises:
            RefusedError: `LOG_UNAVAILABLE`, `LOG_FORK`, `LOG_GENESIS`, or a reason of `verify_checkpoint`
                (data loss).
        """
        first = self._pins.current(self._keys().origin) is None
        pin = self._fetch_checkpoint()
        # A pin taken just now was not sent along: the log has to hear of it.
        return self._fetch_checkpoint() if first else pin

    def recorded(self, commitment_of_leaf: bytes) -> Intent | None:
        """Return the intent of a leaf of this service; None: this database is older than the log."""
        with self._database.reading() as connection:
            return intents.by_commitment(connection, commitment_of_leaf)

    def flush(self) -> int:
        """Log what was put off with `later`, oldest first.

        Returns:
            How many entries were logged.

        Raises:
            RefusedError: As `append`. Silence ends the round; what is wrong with one entry does not hold up
                those behind it and is raised at the end. What is not logged stays for the next time.
        """
        done, last, first_refusal = 0, 0, None
        while batch := self._waiting(last):
            for intent in batch:
                last = intent.number
                try:
                    self._logged(intent)
                    done += 1
                except RefusedError as error:
                    # A leaf of a wrong time stays as it is: it must not stand before the others for ever.
                    if error.kind is Kind.UNAVAILABLE and error.reason != "LOG_TIME":
                        raise
                    first_refusal = first_refusal or error
        if first_refusal is not None:
            raise first_refusal
        return done

    def on_later(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever `later` has taken note of something."""
        self._wake = wake

    def _waiting(self, after: int) -> Sequence[Intent]:
        with self._database.reading() as connection:
            return intents.waiting(connection, after, _BATCH)

    def _keys(self) -> LogKeys:
        return log_keys(self._governance.current())

    def _attempt(
        self,
        kind: str,
        body: bytes,
        key: str,
        number: int,
        magnitudes: Mapping[str, int],
        sealed: Sealing | None,
        *,
        deferred: bool,
    ) -> Intent:
        salt = self._random_bytes(SALT_BYTES)
        commits = commitment(salt, body)
        now_ms = self._clock.now_ms()
        secret = None if sealed is None else sealed(body, salt)
        # What the log would refuse for ever must not be stored to be tried again for ever.
        Leaf(kind, now_ms, self._actor, commits, magnitudes, secret).encode()
        return Intent(kind, key, number, body, salt, commits, dict(magnitudes), secret, now_ms, deferred)

    def _intended(
        self, kind: str, body: bytes, key: str, magnitudes: Mapping[str, int], sealed: Sealing | None
    ) -> Intent:
        with self._database.writing() as connection:
            last = intents.latest(connection, kind, key)
            if last is not None:
                demand_same(last, body)
                if not self._is_stale(last):
                    return last
            number = 1 if last is None else last.attempt + 1
            fresh = self._attempt(kind, body, key, number, magnitudes, sealed, deferred=False)
            intents.insert(connection, fresh)
        return fresh

    def _note(self, connection: sa.Connection, fresh: Intent) -> None:
        last = intents.latest(connection, fresh.kind, fresh.key)
        if last is None:
            intents.insert(connection, fresh)
        else:
            demand_same(last, fresh.body)

    def _is_stale(self, intent: Intent) -> bool:
        if intent.proof is not None and self.is_succeeded(intent.proof):
            return True
        when_ms = intent.time_ms if intent.logged_ms is None else intent.logged_ms
        return abs(self._clock.now_ms() - when_ms) >= TOLERANCE_MS

    def _logged(self, intent: Intent) -> LoggedEntry:
        if intent.proof is not None and intent.logged_ms is not None:
            return LoggedEntry(intent.proof, intent.logged_ms, intent.proof.index)
        keys = self._keys()
        pin = self._pins.current(keys.origin)
        request = pb.AppendEntryRequest(
            type=intent.kind,
            commitment=intent.commitment,
            time_ms=self._clock.now_ms() if intent.is_sent_with_present_time else intent.time_ms,
            magnitudes=intent.magnitudes,
            sealed=intent.sealed or b"",
            pin=pin_to(seen(pin)),
        )
        answer = ask(self._log.AppendEntry, request)
        proof = LogProof(answer.leaf, intent.salt, answer.index, tuple(answer.path), answer.checkpoint)
        try:
            leaf, checkpoint = self._proven(intent.body, proof, intent.kind, self._actor, keys)
            demand_contents(leaf, intent)
        except RefusedError as error:
            raise as_data_loss(error) from error
        self._demand_forwards(pin, checkpoint, proof.checkpoint)
        wrong_time = self._wrong_time(leaf, intent)
        self._pins.accept(
            proof.checkpoint,
            checkpoint,
            sent=pin,
            path=tuple(answer.consistency),
            then=None
            if wrong_time
            else lambda connection: intents.complete(connection, intent, proof, leaf.time_ms),
        )
        if wrong_time:
            raise RefusedError(
                "LOG_TIME",
                "the log's time and our own differ by two minutes: set the clocks, then try again",
                kind=Kind.UNAVAILABLE,
            )
        return LoggedEntry(proof, leaf.time_ms, answer.index)

    def _proven(
        self, body: bytes, proof: LogProof, kind: str, actor: str, keys: LogKeys
    ) -> tuple[Leaf, Checkpoint]:
        return verify_logged(
            body,
            proof,
            log_key=keys.log_key,
            origin=keys.origin,
            witnesses=keys.witnesses,
            expect_type=kind,
            expect_actor=actor,
        )

    def _wrong_time(self, leaf: Leaf, intent: Intent) -> bool:
        now_ms = self._clock.now_ms()
        if not intent.is_sent_with_present_time:
            return abs(leaf.time_ms - now_ms) >= TOLERANCE_MS
        # It may have been logged long ago without our hearing of it, but never before it was made; only
        # leaf 0 is found again by a custody that has lost its database.
        made_ms = 0 if intent.salt == ZERO_SALT else intent.time_ms
        return leaf.time_ms >= now_ms + TOLERANCE_MS or leaf.time_ms <= made_ms - TOLERANCE_MS

    def _demand_forwards(self, pin: Checkpoint | None, checkpoint: Checkpoint, note: bytes) -> None:
        """The log's own newest checkpoint is never smaller than what it was told we have pinned."""
        if pin is not None and checkpoint.size < pin.size:
            self._pins.keep_evidence(note, pin.origin)
            raise fork("the log went backwards")

    def _fetch_checkpoint(self) -> CheckpointSeen:
        keys = self._keys()
        pin = self._pins.current(keys.origin)
        answer = ask(self._log.GetCheckpoint, pb.GetCheckpointRequest(pin=pin_to(seen(pin))))
        try:
            checkpoint = verify_checkpoint(
                answer.checkpoint, keys.log_key, keys.origin, witnesses=keys.witnesses
            )
        except RefusedError as error:
            raise as_data_loss(error) from error
        self._demand_forwards(pin, checkpoint, answer.checkpoint)
        self._pins.accept(answer.checkpoint, checkpoint, sent=pin, path=tuple(answer.consistency))
        return CheckpointSeen(size=checkpoint.size, root=checkpoint.root.hex())
