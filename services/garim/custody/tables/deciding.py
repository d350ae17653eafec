"""Decisions about custody itself: thaws, and governance versions that are proposed."""

from __future__ import annotations

from sqlalchemy import Column, Connection, LargeBinary, String, Table, delete, select

from garim.custody.tables.schema import metadata
from garim.kit.db import insert_or_ignore, insert_or_replace
from garim.statements import dsse

thaw_decisions = Table(
    "thaw_decisions",
    metadata,
    Column("freeze_id", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
)

proposals = Table(
    "governance_proposals",
    metadata,
    Column("digest", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

proposal_decisions = Table(
    "governance_decisions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
)


def add_thaw(connection: Connection, freeze_id: str, person: str, envelope: dsse.Envelope) -> None:
    """Keep a custodian's decision to end a freeze."""
    values = {"freeze_id": freeze_id, "person": person, "envelope": dsse.to_bytes(envelope)}
    insert_or_replace(connection, thaw_decisions, values)


def thaws(connection: Connection, freeze_id: str) -> dict[str, dsse.Envelope]:
    """Return the decisions to end a freeze, by person."""
    query = select(thaw_decisions).where(thaw_decisions.c.freeze_id == freeze_id)
    return {row.person: dsse.from_bytes(row.envelope) for row in connection.execute(query)}


def propose(connection: Connection, digest: str, document: bytes) -> None:
    """Keep a proposed version; the same again changes nothing."""
    insert_or_ignore(connection, proposals, {"digest": digest, "document": document})


def proposed(connection: Connection) -> dict[str, bytes]:
    """Return the proposed versions by digest."""
    return {row.digest: row.document for row in connection.execute(select(proposals))}


def add_decision(connection: Connection, digest: str, person: str, envelope: dsse.Envelope) -> None:
    """Keep a custodian's decision on a proposal."""
    values = {"digest": digest, "person": person, "envelope": dsse.to_bytes(envelope)}
    insert_or_replace(connection, proposal_decisions, values)


def decisions(connection: Connection, digest: str) -> dict[str, dsse.Envelope]:
    """Return the decisions on a proposal, by person."""
    query = select(proposal_decisions).where(proposal_decisions.c.digest == digest)
    return {row.person: dsse.from_bytes(row.envelope) for row in connection.execute(query)}


def clear_proposals(connection: Connection) -> None:
    """Drop all proposals: one was put in force, and the others no longer follow it."""
    connection.execute(delete(proposal_decisions))
    connection.execute(delete(proposals))
