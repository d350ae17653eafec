"""Stop everything at once by one custodian; go on only by the quorum."""

from __future__ import annotations

import dataclasses
import hashlib

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.deciding import counting, verified_decision
from garim.custody.tables import deciding, restoring, stopping
from garim.custody.tables.stopping import Freeze
from garim.kit.ledger import intents
from garim.statements import dsse, subjects
from garim.statements.decisions import Decision
from garim.statements.refusal import Kind, RefusedError

ID_BYTES = 16
ENTRY_FREEZE = "freeze"


@dataclasses.dataclass(frozen=True, slots=True)
class Freezing:
    """Freezes and thaws custody.

    Args:
        core: Custody's means.
    """

    core: Core

    def freeze(self, envelope: dsse.Envelope, caller: str) -> str:
        """Freeze at once; the log learns of it when it answers.

        Args:
            envelope: One custodian's signed decision.
            caller: Name in the caller's certificate.

        Returns:
            Id of the freeze in force; where custody is frozen already, that one's.

        Raises:
            RefusedError: `DECISION_*`, `GOVERNANCE_VERSION`.
        """
        core = self.core
        with core.database.reading() as connection:
            known = stopping.freeze_in_force(connection)
        if known is not None:
            # Whoever asks again, or a moment after another, has made a decision that names no freeze.
            return known.id
        verified_decision(core, envelope, caller, ("freeze",), subjects.freeze(core.mesh))
        with core.database.writing() as connection:
            known = stopping.freeze_in_force(connection)
            if known is not None:
                return known.id
            freeze = Freeze(core.draw(ID_BYTES).hex(), core.clock.now_ms(), "custodian")
            stopping.begin_freeze(connection, freeze)
            core.journal.later(ENTRY_FREEZE, envelope.payload, key=freeze.id, within=connection)
        return freeze.id

    def thaw(self, envelope: dsse.Envelope, caller: str) -> tuple[bool, int, int]:
        """Record a decision to end the freeze in force; the quorum's end it once that is logged.

        Args:
            envelope: One custodian's signed decision, which names the freeze's id.
            caller: Name in the caller's certificate.

        Returns:
            Whether custody is still frozen, decisions that count, and how many are needed.

        Raises:
            RefusedError: `NOT_FROZEN`, `RECOVERY_PENDING`, `DECISION_*`, `GOVERNANCE_VERSION`, and why the
                log refuses.
        """
        core = self.core
        with core.database.reading() as connection:
            restoring.demand_checked(connection)
            freeze = stopping.freeze_in_force(connection)
        if freeze is None:
            raise _not_frozen()
        verified_decision(core, envelope, caller, ("thaw",), subjects.thaw(bytes.fromhex(freeze.id)))
        with core.database.writing() as connection:
            deciding.add_thaw(connection, freeze.id, caller, envelope)
            agreed = self._agreed(connection, freeze, core.clock.now_ms())
        needed = core.governance.current().quorum
        if len(agreed) < needed:
            return True, len(agreed), needed
        body = b"\n".join(one.payload for one in agreed)
        entry = core.journal.append("thaw", body, key=freeze.id + hashlib.sha256(body).hexdigest())
        with core.database.writing() as connection:
            restoring.demand_checked(connection)
            agreed = self._agreed(connection, freeze, entry.time_ms)
            needed = core.governance.current().quorum
            if len(agreed) < needed:
                return True, len(agreed), needed
            stopping.end_freeze(connection, freeze.id, entry.time_ms)
        return False, len(agreed), needed

    def _agreed(self, connection: Connection, freeze: Freeze, at_ms: int) -> list[dsse.Envelope]:
        """Return the decisions to end a freeze that count at a time; none for a freeze not in force."""
        kept = deciding.thaws(connection, freeze.id)
        subject = subjects.thaw(bytes.fromhex(freeze.id))
        return list(counting(connection, self.core, kept, "thaw", subject, at_ms).values())


def _not_frozen() -> RefusedError:
    return RefusedError("NOT_FROZEN", "custody is not frozen", kind=Kind.PRECONDITION)


def reason_of(connection: Connection, freeze: Freeze) -> str:
    """Return why custody is frozen: the custodian's words, or the cause where no custodian began the freeze.

    Args:
        connection: An open transaction.
        freeze: The freeze in force.
    """
    intent = intents.latest(connection, ENTRY_FREEZE, freeze.id)
    return freeze.cause if intent is None else Decision.from_bytes(intent.body).reason
