"""The ledger's tables, in the database of the service it belongs to."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db.rights import Rights

_METADATA = sa.MetaData()

intents = sa.Table(
    "ledger_intents",
    _METADATA,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("magnitudes", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("time_ms", sa.BigInteger, nullable=False),
    sa.Column("deferred", sa.Boolean, nullable=False),
    sa.Column("superseded", sa.Boolean, nullable=False),
    # The proof, as JSON, once the entry is logged; its time in the log.
    sa.Column("proof", sa.LargeBinary),
    sa.Column("logged_ms", sa.BigInteger),
    sa.UniqueConstraint("kind", "key", "attempt"),
)
sa.Index(
    "ledger_intents_open",
    intents.c.id,
    sqlite_where=intents.c.proof.is_(None) & intents.c.superseded.is_(False),
    postgresql_where=intents.c.proof.is_(None) & ~intents.c.superseded,
)

pins = sa.Table(
    "ledger_pins",
    _METADATA,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.LargeBinary, nullable=False),
)

forks = sa.Table(
    "ledger_forks",
    _METADATA,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
    sa.Column("note", sa.LargeBinary, nullable=False),
    sa.Column("pinned_note", sa.LargeBinary, nullable=False),
)


RIGHTS: Rights = {
    "ledger_intents": "select, insert, update (superseded, proof, logged_ms)",
    "ledger_pins": "select, insert, update (size, root, note)",
    "ledger_forks": "select, insert",
}


def add_to(metadata: sa.MetaData) -> None:
    """Add the tables to a service's own metadata.

    Its first migration creates them with the others.

    Args:
        metadata: Where the service declares its tables.
    """
    for table in (intents, pins, forks):
        table.to_metadata(metadata)


def create_all(connection: sa.Connection) -> None:
    """Create the tables where they are missing.

    Args:
        connection: An open writing transaction.
    """
    _METADATA.create_all(connection)
