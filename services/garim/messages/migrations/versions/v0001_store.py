"""Epochs, write secrets, rosters, segments, accounts, forecasts, preserved rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "account_nodes",
    "batch_ids",
    "batches",
    "conversations",
    "epochs",
    "forecasts",
    "governance_versions",
    "ledger_forks",
    "ledger_intents",
    "ledger_pins",
    "member_tags",
    "preserved",
    "rosters",
    "segments",
    "write_secrets",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account_nodes",
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch_ids",
        sa.Column("producer", sa.Text, primary_key=True),
        sa.Column("batch", sa.LargeBinary(16), primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_batch_ids_epoch", "batch_ids", ["epoch"])
    op.create_table(
        "batches",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batches_epoch", "batches", ["epoch"])
    op.create_table(
        "conversations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("tag", sa.LargeBinary(32), nullable=False),
        sa.Column("segments", sa.BigInteger),
        sa.Column("account", sa.LargeBinary(32)),
        sa.Column("place", sa.BigInteger),
        sa.Column("headers", sa.LargeBinary),
        sa.UniqueConstraint("epoch", "tag"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "epochs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.Integer, nullable=False, server_default="0"),
        sa.Column("leaves", sa.BigInteger),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("envelope", sa.LargeBinary),
        sa.Column("proof", sa.LargeBinary),
        sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "forecasts",
        sa.Column("document", sa.LargeBinary(32), primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("envelope", sa.LargeBinary),
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
        "member_tags",
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("roster", sa.Integer, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "preserved",
        sa.Column("document", sa.LargeBinary(32), primary_key=True),
        sa.Column("conversation", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("sent_start", sa.BigInteger, nullable=False),
        sa.Column("sent_end", sa.BigInteger, nullable=False),
        sa.Column("received_until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "rosters",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("conversation", sa.Integer, nullable=False),
        sa.Column("asking", sa.LargeBinary(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("epoch", "asking"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "segments",
        sa.Column("conversation", sa.Integer, primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("roster", sa.Integer, nullable=False),
        sa.Column("sent_first", sa.BigInteger, nullable=False),
        sa.Column("sent_last", sa.BigInteger, nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "write_secrets",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_write_secrets_epoch", "write_secrets", ["epoch"])


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
