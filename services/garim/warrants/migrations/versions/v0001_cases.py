"""Cases, decisions, overlaps, revocations; the log's and governance's tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "cases",
    "governance_versions",
    "ledger_forks",
    "ledger_intents",
    "ledger_pins",
    "revocation_lists",
    "revocations",
    "attachments",
    "case_conversations",
    "case_tickets",
    "decisions",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cases",
        sa.Column("place", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("case_number", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("first", sa.Text),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("filer", sa.Text, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("forecast", sa.LargeBinary),
        sa.Column("remarks", sa.Text, nullable=False),
        sa.Column("refusal", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("statement", sa.LargeBinary),
        sa.Column("proof", sa.LargeBinary),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("authority", "number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cases_first", "cases", ["first"])
    op.create_index("ix_cases_state", "cases", ["state"])
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
        "revocation_lists",
        sa.Column("issuer", sa.LargeBinary, primary_key=True),
        sa.Column("signer", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "revocations",
        sa.Column("authority", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
    )
    op.create_table(
        "attachments",
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "case_conversations",
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("conversation", sa.Text, primary_key=True),
    )
    op.create_index("ix_case_conversations_conversation", "case_conversations", ["conversation"])
    op.create_table(
        "case_tickets",
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_decisions_case_id", "decisions", ["case_id"])


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
