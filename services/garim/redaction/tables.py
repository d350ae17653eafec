"""Builds, their receipts, and the places where attempts were held."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit import governance_table, ledger

METADATA = sa.MetaData()
ledger.add_to(METADATA)
governance_table.add_to(METADATA)

builds = sa.Table(
    "builds",
    METADATA,
    sa.Column("case_id", sa.LargeBinary, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("dossier", sa.LargeBinary, nullable=False),
    # The package's file name in the spool folder; empty once it is acknowledged.
    sa.Column("package", sa.Text, nullable=False),
    # Events of the attempt that packed it, as JSON.
    sa.Column("packed", sa.LargeBinary),
    # Custody's logged receipt, serialised.
    sa.Column("receipt", sa.LargeBinary),
    # Digest of the certificate whose acknowledgement counts.
    sa.Column("acknowledger", sa.Text, nullable=False),
    sa.Column("holds", sa.LargeBinary),
)

lifts = sa.Table(
    "lifts",
    METADATA,
    sa.Column("case_id", sa.LargeBinary, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("decision", sa.LargeBinary, nullable=False),
    # The held places that the decision lifts, as JSON.
    sa.Column("holds", sa.LargeBinary, nullable=False),
)

PREPARED = "prepared"
HELD = "held"
PACKED = "packed"
CLOSED = "closed"
ACKNOWLEDGED = "acknowledged"
PRESERVED = "preserved"
