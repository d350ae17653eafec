"""Check a person's decision: who signed it, about what, and whether it counts now."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from garim.custody.checks import counts_now
from garim.custody.core import Core
from garim.custody.tables import stopping
from garim.statements import dsse
from garim.statements.decisions import Action, Decision
from garim.statements.governance import Governance, raw_key
from garim.statements.refusal import Kind, RefusedError


def freeze_id(core: Core) -> str | None:
    """Return the id of the freeze in force, or None."""
    with core.database.reading() as connection:
        freeze = stopping.freeze_in_force(connection)
    return None if freeze is None else freeze.id


def verified_decision(
    core: Core, envelope: dsse.Envelope, caller: str, actions: tuple[Action, ...], subject: str
) -> Decision:
    """Return a custodian's decision if it counts now.

    Args:
        core: Custody's means.
        envelope: The signed decision.
        caller: Name in the caller's certificate.
        actions: What it may decide.
        subject: The digest it must name.

    Raises:
        RefusedError: `DECISION_PERSON` (no custodian, or another's decision), `DECISION_ACTION`,
            `DECISION_SUBJECT`, `DECISION_REASON`, `GOVERNANCE_VERSION`, and those of the statement.
    """
    governance = core.governance.current()
    custodian = governance.custodian(caller)
    if custodian is None:
        raise RefusedError("DECISION_PERSON", "the caller is no custodian now", kind=Kind.FORBIDDEN)
    decision = Decision.verify(
        envelope, [raw_key(custodian.decision_key)], mesh=core.mesh, now=core.clock.now_ms()
    )
    if decision.person != caller:
        raise RefusedError("DECISION_PERSON", "the decision is another person's", kind=Kind.FORBIDDEN)
    if decision.action not in actions:
        raise RefusedError("DECISION_ACTION", "the decision is about something else", field="action")
    if decision.subject != subject:
        raise RefusedError(
            "DECISION_SUBJECT", "the decision is about another thing than this one", field="subject"
        )
    if decision.action in {"deny", "freeze"} and not decision.reason.strip():
        raise RefusedError("DECISION_REASON", "say why", field="reason")
    if not counts_now(decision, governance, freeze_id(core), core.clock.now_ms()):
        raise RefusedError(
            "GOVERNANCE_VERSION",
            "it was made under another governance version or freeze, or lives too long: decide anew",
            kind=Kind.PRECONDITION,
            field="governance",
        )
    return decision


def still_counts(
    envelope: bytes,
    *,
    person: str,
    action: Action,
    subject: str,
    governance: Governance,
    freeze: str | None,
    at_ms: int,
) -> bool:
    """Tell whether a kept decision counts under a governance version and a freeze.

    Args:
        envelope: The signed decision, JSON.
        person: Whose it is.
        action: What it must decide.
        subject: The digest it must name.
        governance: The version in force.
        freeze: Id of the freeze in force, or None.
        at_ms: Time at which it must not be expired.
    """
    custodian = governance.custodian(person)
    if custodian is None:
        return False
    try:
        decision = Decision.verify(
            dsse.from_bytes(envelope), [raw_key(custodian.decision_key)], mesh=governance.mesh, now=at_ms
        )
    except RefusedError:
        return False
    return (decision.person, decision.action, decision.subject) == (person, action, subject) and counts_now(
        decision, governance, freeze, at_ms
    )


def counting(
    connection: Connection,
    core: Core,
    kept: Mapping[str, dsse.Envelope],
    action: Action,
    subject: str,
    at_ms: int,
) -> dict[str, dsse.Envelope]:
    """Return the kept decisions that count, by person, as a transaction sees governance and freeze.

    Args:
        connection: An open transaction.
        core: Custody's means.
        kept: Decisions by person.
        action: What they must decide.
        subject: The digest they must name.
        at_ms: Time at which they must not be expired.
    """
    governance = core.governance.current()
    freeze = stopping.freeze_in_force(connection)
    return {
        person: one
        for person, one in sorted(kept.items())
        if still_counts(
            dsse.to_bytes(one),
            person=person,
            action=action,
            subject=subject,
            governance=governance,
            freeze=freeze.id if freeze else None,
            at_ms=at_ms,
        )
    }
