"""The durable pin: the largest checkpoint accepted, and the only way to make it larger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from garim.api.audit.v1 import audit_pb2 as pb
from garim.kit.clock import Clock
from garim.kit.convert import pin_to
from garim.kit.db import Database
from garim.kit.governance import ENTRY_GENESIS, GovernanceView
from garim.kit.identity import service_id
from garim.kit.ledger.log import AuditLog, ask, fork, unavailable
from garim.kit.ledger.tables import forks, pins
from garim.statements.governance import Governance, carries
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint
from garim.translog.pin import advance_pin, verify_genesis

# How often a pin that other threads keep advancing is tried again.
_RACES = 16

Then = Callable[[sa.Connection], None]


class Pins:
    """One service's pins, one for each log it has used.

    Args:
        database: The service's own.
        log: Where proofs are asked for.
        governance: Names the log in force and what it begins with.
        clock: For the time on evidence of a fork.
    """

    def __init__(self, database: Database, log: AuditLog, governance: GovernanceView, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._governance = governance
        self._clock = clock

    def current(self, origin: str) -> Checkpoint | None:
        """Return the pin of a log, or None before its first use."""
        with self._database.reading() as connection:
            return _read(connection, origin)

    def accept(
        self,
        note: bytes,
        checkpoint: Checkpoint,
        *,
        sent: Checkpoint | None = None,
        path: Sequence[bytes] = (),
        then: Then | None = None,
    ) -> None:
        """Prove a checkpoint consistent with the pin, and make it the pin where it is larger.

        Args:
            note: Exact bytes of the signed checkpoint.
            checkpoint: What `verify_checkpoint` made of them.
            sent: The pin that `path` starts from, where the log sent one along.
            path: Consistency proof from `sent` to `checkpoint`.
            then: What becomes durable in the same transaction.

        Raises:
            RefusedError: `LOG_GENESIS`: a first checkpoint of a log that begins otherwise. `LOG_FORK` (data
                loss), `LOG_UNAVAILABLE`.
        """
        for _ in range(_RACES):
            pin = self.current(checkpoint.origin)
            if pin is None:
                self._demand_genesis(checkpoint)
                larger = advance_pin(None, checkpoint, ())
            else:
                given = path if pin == sent and pin.size <= checkpoint.size else None
                larger = self._advanced(pin, note, checkpoint, given)
            with self._database.writing() as connection:
                if larger == pin or _swap(connection, pin, larger, note):
                    if then is not None:
                        then(connection)
                    return
        raise unavailable()

    def _advanced(
        self, pin: Checkpoint, note: bytes, checkpoint: Checkpoint, path: Sequence[bytes] | None
    ) -> Checkpoint:
        try:
            # A log that no longer knows one of the two notes it has signed contradicts itself as well.
            return advance_pin(pin, checkpoint, self._path(pin, checkpoint) if path is None else path)
        except RefusedError as error:
            if error.reason == "LOG_FORK":
                self.keep_evidence(note, pin.origin)
            raise

    def keep_evidence(self, note: bytes, origin: str) -> None:
        """Keep a signed checkpoint that contradicts the pin, beside the pinned one: together they convict.

        Args:
            note: The contradicting note, its signature verified.
            origin: The log's origin.
        """
        with self._database.writing() as connection:
            pinned = connection.execute(sa.select(pins.c.note).where(pins.c.origin == origin)).scalar_one()
            digest = hashlib.sha256(pinned + note).digest()
            if connection.execute(sa.select(forks.c.digest).where(forks.c.digest == digest)).first() is None:
                connection.execute(
                    sa.insert(forks).values(
                        digest=digest, seen_ms=self._clock.now_ms(), note=note, pinned_note=pinned
                    )
                )

    def _path(self, pin: Checkpoint, checkpoint: Checkpoint) -> Sequence[bytes]:
        old, new = sorted((pin.size, checkpoint.size))
        if old in (0, new):
            return ()
        request = pb.GetConsistencyProofRequest(pin=pin_to(seen(pin)), old_size=old, new_size=new)
        return tuple(ask(self._log.GetConsistencyProof, request).path)

    def _demand_genesis(self, checkpoint: Checkpoint) -> None:
        """Demand that a log used for the first time begins with the governance that names it."""
        if checkpoint.size == 0:
            raise RefusedError(
                "LOG_EMPTY", "an empty log cannot be pinned", field="size", kind=Kind.UNAVAILABLE
            )
        governance = self._governance.current()
        self._demand_old_pins(governance)
        request = pb.GetInclusionProofRequest(index=0, size=checkpoint.size)
        answer = ask(self._log.GetInclusionProof, request)
        try:
            verify_genesis(
                answer.leaf,
                bytes.fromhex(self._governance.log_genesis()),
                tuple(answer.path),
                checkpoint,
                expect_type=ENTRY_GENESIS,
                expect_actor=service_id(governance.mesh, "custody"),
            )
        except RefusedError as error:
            raise RefusedError(
                "LOG_GENESIS", "the log does not begin with the governance of this mesh", kind=Kind.DATA_LOSS
            ) from error

    def _demand_old_pins(self, governance: Governance) -> None:
        """A log may succeed another only if governance carries what this service had pinned of the former.

        The former pins stay where they are, for the record.
        """
        with self._database.reading() as connection:
            others = connection.execute(
                sa.select(pins.c.origin, pins.c.size, pins.c.root).where(
                    pins.c.origin != governance.log.origin
                )
            ).all()
        for origin, size, root in others:
            carried = self._governance.carried_pins(origin)
            # A log that no version names was begun by a custody that died before its version was in force.
            if carried is not None and not carries(carried, CheckpointSeen(size=size, root=root.hex())):
                raise fork("the log's successor does not carry what was pinned of the former log")


def seen(pin: Checkpoint | None) -> CheckpointSeen | None:
    """Return a pin as statements and requests name it."""
    return None if pin is None else CheckpointSeen(size=pin.size, root=pin.root.hex())


def _read(connection: sa.Connection, origin: str) -> Checkpoint | None:
    row = connection.execute(sa.select(pins.c.size, pins.c.root).where(pins.c.origin == origin)).first()
    return None if row is None else Checkpoint(origin, row.size, row.root)


def _swap(connection: sa.Connection, pin: Checkpoint | None, larger: Checkpoint, note: bytes) -> bool:
    """Replace the pin if it still is `pin`; tell whether it was."""
    if _read(connection, larger.origin) != pin:
        return False
    values = {"size": larger.size, "root": larger.root, "note": note}
    if pin is None:
        connection.execute(sa.insert(pins).values(origin=larger.origin, **values))
    else:
        connection.execute(sa.update(pins).where(pins.c.origin == larger.origin).values(**values))
    return True
