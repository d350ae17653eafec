"""Stop everything at once by one custodian; go on only by the quorum."""

from __future__ import annotations

import dataclasses
import hashlib

from garim.custody.core import Core
from garim.custody.deciding import still_counts, verified_decision
from garim.custody.tables import deciding, stopping
from garim.custody.tables.stopping import Freeze
from garim.statements import dsse, subjects
from garim.statements.refusal import Kind, RefusedError

ID_BYTES = 16
RECOVERY = "recovery"


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
        verified_decision(core, envelope, caller, ("freeze",), subjects.freeze(core.mesh))
        with core.database.writing() as connection:
            known = stopping.freeze_in_force(connection)
            if known is not None:
                return known.id
            freeze = Freeze(core.draw(ID_BYTES).hex(), core.clock.now_ms(), "custodian")
            stopping.begin_freeze(connection, freeze)
            key = hashlib.sha256(envelope.payload).hexdigest()
            core.journal.later("freeze", envelope.payload, key=key, within=connection)
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
            freeze = stopping.freeze_in_force(connection)
        if freeze is None:
            raise RefusedError("NOT_FROZEN", "custody is not frozen", kind=Kind.PRECONDITION)
        subject = subjects.thaw(bytes.fromhex(freeze.id))
        decision = verified_decision(core, envelope, caller, ("thaw",), subject)
        if freeze.cause == RECOVERY and decision.issued < freeze.since_ms:
            raise RefusedError("RECOVERY_PENDING", "decide after the recovery", kind=Kind.PRECONDITION)
        with core.database.writing() as connection:
            deciding.add_thaw(connection, freeze.id, caller, envelope)
        with core.database.reading() as connection:
            kept = deciding.thaws(connection, freeze.id)
        now_ms = core.clock.now_ms()
        counting = [
            one
            for person, one in sorted(kept.items())
            if still_counts(core, dsse.to_bytes(one), person, "thaw", subject, now_ms)
        ]
        needed = core.governance.current().quorum
        if len(counting) < needed:
            return True, len(counting), needed
        body = b"\n".join(one.payload for one in counting)
        core.journal.append("thaw", body, key=freeze.id + hashlib.sha256(body).hexdigest())
        with core.database.writing() as connection:
            stopping.end_freeze(connection, freeze.id, now_ms)
        return False, len(counting), needed
