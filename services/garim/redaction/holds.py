"""Holds: places that an attempt left to people, and the reviewers' decisions that lift them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from garim.kit.clock import Clock
from garim.kit.db import Database, insert_or_replace
from garim.kit.governance import GovernanceView
from garim.kit.ledger import Ledger
from garim.redaction.attempt.job import Hold, Place
from garim.redaction.tables import HELD, builds, lifts
from garim.statements import dsse, strict_json, subjects
from garim.statements.decisions import Decision
from garim.statements.governance import Governance, raw_key
from garim.statements.refusal import Kind, RefusedError

MIN_LIFTS = 2


def encode(holds: Sequence[Hold]) -> bytes:
    """Return holds as canonical JSON: what a lifting decision covers."""
    return strict_json.dump({"holds": [one.to_json() for one in holds]})


def decode(data: bytes) -> list[Hold]:
    """Read what `encode` made."""
    return [Hold.from_json(one) for one in strict_json.parse_object(data)["holds"]]


def lifts_needed(governance: Governance) -> int:
    """Return how many reviewers must lift a hold: the quorum, and two where one reviews a disclosure.

    Args:
        governance: The version in force.
    """
    return max(MIN_LIFTS, governance.review_quorum)


@dataclass(frozen=True, slots=True)
class HoldState:
    """The holds of a case's last attempt.

    Args:
        holds: The places.
        subject: What a lifting decision names as its subject.
        lifts: How many reviewers' lifts of them count now.
        needed: How many must.
    """

    holds: list[Hold]
    subject: str
    lifts: int
    needed: int


class Holds:
    """Keeps holds and lifts; a lift counts until its expiry, under the governance and freeze now in force.

    Args:
        database: The service's own.
        ledger: Lifts are logged before they count.
        governance: Names the reviewers.
        freeze: Asks custody for the id of the freeze in force, None where there is none.
        mesh: Name of the mesh.
        clock: Judges expiry.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        governance: GovernanceView,
        freeze: Callable[[], str | None],
        mesh: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._governance = governance
        self._freeze = freeze
        self._mesh = mesh
        self._clock = clock

    def state(self, case_id: bytes) -> HoldState:
        """Return the holds of a case's last attempt.

        Raises:
            RefusedError: `CASE_UNKNOWN` where nothing was built for the case; custody does not answer.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(builds).where(builds.c.case_id == case_id)).one_or_none()
            if row is None:
                raise RefusedError("CASE_UNKNOWN", "nothing was built for this case", kind=Kind.NOT_FOUND)
            held = row.holds if row.state == HELD else encode(())
            subject = subjects.lift(row.document, held)
        count = len([one for one in self._counting(case_id) if one.subject == subject])
        return HoldState(decode(held), subject, count, lifts_needed(self._governance.current()))

    def lift(self, case_id: bytes, envelope: dsse.Envelope, caller: str) -> HoldState:
        """Record a reviewer's lift of exactly the holds of the last attempt.

        Args:
            case_id: The case.
            envelope: The signed decision.
            caller: Name in the caller's certificate; must be the decision's person.

        Raises:
            RefusedError: `HOLD_UNKNOWN`, `DECISION_PERSON`, `DECISION_ACTION`, `DECISION_SUBJECT`,
                `DECISION_VALIDITY`, `DECISION_REASON`, `DECISION_REPEATED`, `GOVERNANCE_VERSION`,
                `STATEMENT_*`, and why the log refuses.
        """
        state = self.state(case_id)
        if not state.holds:
            raise RefusedError("HOLD_UNKNOWN", "this case has no holds", kind=Kind.PRECONDITION)
        decision = self._verified(envelope, caller, state.subject)
        if (caller, state.subject) in {(one.person, one.subject) for one in self._counting(case_id)}:
            raise RefusedError("DECISION_REPEATED", "this reviewer has lifted them already", kind=Kind.EXISTS)
        key = hashlib.sha256(envelope.payload).hexdigest()
        entry = self._ledger.append("lift", envelope.payload, key=key, magnitudes={"holds": len(state.holds)})
        decision.demand_current(entry.time_ms)
        with self._database.writing() as connection:
            insert_or_replace(
                connection,
                lifts,
                {
                    "case_id": case_id,
                    "subject": state.subject,
                    "person": caller,
                    "decision": dsse.to_bytes(envelope),
                    "holds": encode(state.holds),
                },
            )
        return self.state(case_id)

    def lifted(self, case_id: bytes) -> list[Place]:
        """Return all places of the case that enough reviewers' lifts open now.

        Raises:
            RefusedError: Custody does not answer.
        """
        governance = self._governance.current()
        by_subject: dict[str, set[str]] = {}
        places: dict[str, list[Place]] = {}
        for row in self._counting(case_id):
            by_subject.setdefault(row.subject, set()).add(row.person)
            places[row.subject] = [one.place for one in decode(row.holds)]
        return [
            place
            for subject, people in by_subject.items()
            if len(people) >= lifts_needed(governance)
            for place in places[subject]
        ]

    def _counting(self, case_id: bytes) -> list[Any]:
        """Return the kept lifts of a case that count now."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(lifts).where(lifts.c.case_id == case_id)).all()
        return list(self._of_now(rows)) if rows else []

    def _of_now(self, rows: Iterable[Any]) -> Iterable[Any]:
        governance, freeze, now_ms = self._governance.current(), self._freeze(), self._clock.now_ms()
        for row in rows:
            reviewer = governance.reviewer(row.person)
            decision = Decision.from_bytes(dsse.from_bytes(row.decision).payload)
            if (
                reviewer is not None
                and (decision.governance, decision.freeze) == (governance.version, freeze)
                and now_ms < decision.expires
            ):
                yield row

    def _verified(self, envelope: dsse.Envelope, caller: str, subject: str) -> Decision:
        """Return a lift that this reviewer has signed and that counts now."""
        governance = self._governance.current()
        reviewer = governance.reviewer(caller)
        if reviewer is None:
            raise RefusedError("DECISION_PERSON", "the caller is no reviewer", kind=Kind.FORBIDDEN)
        now_ms = self._clock.now_ms()
        keys = [raw_key(reviewer.decision_key)]
        decision = Decision.verify(envelope, keys, mesh=self._mesh, now=now_ms)
        if decision.person != caller:
            raise RefusedError("DECISION_PERSON", "the decision is another person's", kind=Kind.FORBIDDEN)
        if decision.action != "lift":
            raise RefusedError("DECISION_ACTION", "the decision is about something else", field="action")
        if decision.subject != subject:
            raise RefusedError("DECISION_SUBJECT", "the holds have changed: list them again", field="subject")
        if (decision.governance, decision.freeze) != (governance.version, self._freeze()):
            raise RefusedError(
                "GOVERNANCE_VERSION",
                "another governance version or freeze is in force: list the holds again and decide anew",
                kind=Kind.PRECONDITION,
                field="governance",
            )
        if not decision.lives_shortly(now_ms):
            raise RefusedError(
                "DECISION_VALIDITY", "a decision is made now and holds 24 hours at most", field="expires"
            )
        if not decision.reason.strip():
            raise RefusedError("DECISION_REASON", "say why", field="reason")
        return decision
