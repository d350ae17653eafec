"""Offers of a leaving custodian's shares to a successor, and what became of them.

States: `pending`; `accepted`; `ended`: a later offer took its place, or its time is over. Re-sealed shares
are kept while an offer is pending only. Rows last as long as their dossier's key, so that no offer counts
twice and a denial goes on binding the place of whoever denied.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from garim.custody.tables.schema import metadata
from garim.kit.db.columns import WIDE

State = Literal["pending", "accepted", "ended"]

share_transfers = Table(
    "share_transfers",
    metadata,
    Column("digest", String, primary_key=True),
    Column("dossier_id", String, ForeignKey("dossiers.dossier_id"), nullable=False, index=True),
    Column("custodian", String, nullable=False),
    Column("leaving", String, nullable=False),
    Column("successor", String, nullable=False, index=True),
    Column("subject", String, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("expires_ms", WIDE, nullable=False),
    Column("state", String, nullable=False),
    Column("acceptance", LargeBinary),
    Column("accepted_ms", WIDE),
)

transferred_shares = Table(
    "transferred_shares",
    metadata,
    Column("digest", String, ForeignKey("share_transfers.digest"), primary_key=True),
    Column("subset", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

t = share_transfers


@dataclasses.dataclass(frozen=True, slots=True)
class Transfer:
    """An offer as custody keeps it.

    Attributes:
        digest: SHA-256 of the payload of the decision that offers, hexadecimal.
        dossier_id: Of which dossier.
        custodian: Whose place in the subsets it is.
        leaving: Who offers it.
        successor: To whom.
        subject: What the decision names.
        envelope: The decision, JSON.
        expires_ms: When the decision ends.
        state: Where it stands.
        acceptance: The successor's decision, JSON, once accepted.
        accepted_ms: Time of the acceptance in the log.
    """

    digest: str
    dossier_id: str
    custodian: str
    leaving: str
    successor: str
    subject: str
    envelope: bytes
    expires_ms: int
    state: State = "pending"
    acceptance: bytes | None = None
    accepted_ms: int | None = None


def _of(row: Row[Any]) -> Transfer:
    return Transfer(*(getattr(row, one.name) for one in dataclasses.fields(Transfer)))


def add(connection: Connection, transfer: Transfer, sealed: Mapping[tuple[str, ...], bytes]) -> None:
    """Keep an offer with its re-sealed shares."""
    connection.execute(insert(t).values(**dataclasses.asdict(transfer)))
    if sealed:
        connection.execute(
            insert(transferred_shares),
            [
                {"digest": transfer.digest, "subset": json.dumps(subset), "sealed": share}
                for subset, share in sealed.items()
            ],
        )


def find(connection: Connection, digest: str) -> Transfer | None:
    """Return an offer by the digest of its decision."""
    row = connection.execute(select(t).where(t.c.digest == digest)).first()
    return None if row is None else _of(row)


def pending_of(connection: Connection, dossier_id: str, leaving: str) -> Transfer | None:
    """Return the pending offer of a person's place in a dossier."""
    query = select(t).where(t.c.dossier_id == dossier_id, t.c.leaving == leaving, t.c.state == "pending")
    row = connection.execute(query).first()
    return None if row is None else _of(row)


def pending_for(connection: Connection, successor: str, after: str, limit: int) -> list[Transfer]:
    """Return the pending offers to a person, by digest.

    Args:
        connection: An open transaction.
        successor: To whom.
        after: Digest of the last one of the page before; empty for the first page.
        limit: How many at most.
    """
    query = select(t).where(t.c.successor == successor, t.c.state == "pending", t.c.digest > after)
    return [_of(row) for row in connection.execute(query.order_by(t.c.digest).limit(limit))]


def accepted(connection: Connection, dossier_id: str) -> list[Transfer]:
    """Return the accepted offers of a dossier."""
    query = select(t).where(t.c.dossier_id == dossier_id, t.c.state == "accepted")
    return [_of(row) for row in connection.execute(query)]


def shares(connection: Connection, digest: str) -> dict[tuple[str, ...], bytes]:
    """Return the re-sealed shares of a pending offer by subset."""
    query = select(transferred_shares).where(transferred_shares.c.digest == digest)
    rows = connection.execute(query.order_by(transferred_shares.c.subset))
    return {tuple(json.loads(row.subset)): row.sealed for row in rows}


def accept(connection: Connection, digest: str, acceptance: bytes, at_ms: int) -> None:
    """Record that an offer was accepted.

    Args:
        connection: A writing transaction.
        digest: The offer.
        acceptance: The successor's decision, JSON.
        at_ms: Its time in the log.
    """
    _drop_shares(connection, [digest])
    values = {"state": "accepted", "acceptance": acceptance, "accepted_ms": at_ms}
    connection.execute(update(t).where(t.c.digest == digest).values(**values))


def end_pending(connection: Connection, dossier_id: str, leaving: str) -> None:
    """End the pending offers of a person's place in a dossier."""
    _end(connection, (t.c.dossier_id == dossier_id) & (t.c.leaving == leaving))


def end_expired(connection: Connection, now_ms: int) -> None:
    """End the pending offers whose time is over."""
    _end(connection, t.c.expires_ms <= now_ms)


def drop(connection: Connection, dossier_id: str) -> None:
    """Drop all offers of a dossier."""
    query = select(t.c.digest).where(t.c.dossier_id == dossier_id)
    _drop_shares(connection, connection.execute(query).scalars().all())
    connection.execute(delete(t).where(t.c.dossier_id == dossier_id))


def _end(connection: Connection, which: Any) -> None:
    ended = connection.execute(select(t.c.digest).where(which, t.c.state == "pending")).scalars().all()
    _drop_shares(connection, ended)
    connection.execute(update(t).where(t.c.digest.in_(ended)).values(state="ended"))


def _drop_shares(connection: Connection, digests: Iterable[str]) -> None:
    connection.execute(delete(transferred_shares).where(transferred_shares.c.digest.in_(list(digests))))
