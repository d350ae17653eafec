"""Builds, lifts, the ledger, governance versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "builds",
    "governance_versions",
    "ledger_forks",
    "ledger_intents",
    "ledger_pins",
    "lifts",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "builds",
        sa.Column("case_id", sa.LargeBinary, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("dossier", sa.LargeBinary, nullable=False),
        sa.Column("package", sa.Text, nullable=False),
        sa.Column("packed", sa.LargeBinary),
        sa.Column("receipt", sa.LargeBinary),
        sa.Column("acknowledger", sa.Text, nullable=False),
        sa.Column("holds", sa.LargeBinary),
    )
    op.create_table(
        "governance_versions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
        sa.Column("proof", sa.LargeBinary),
    )
    op.create_table(
        "ledger_forks",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("pinned_note", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ledger_intents",
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
        sa.Column("proof", sa.LargeBinary),
        sa.Column("logged_ms", sa.BigInteger),
        sa.UniqueConstraint("kind", "key", "attempt"),
    )
    op.create_index(
        "ledger_intents_open",
        "ledger_intents",
        ["id"],
        sqlite_where=sa.text("proof IS NULL AND superseded IS 0"),
        postgresql_where=sa.text("proof IS NULL AND NOT superseded"),
    )
    op.create_table(
        "ledger_pins",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "lifts",
        sa.Column("case_id", sa.LargeBinary, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("decision", sa.LargeBinary, nullable=False),
        sa.Column("holds", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
