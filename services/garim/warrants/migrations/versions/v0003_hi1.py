"""Transactions and objects of HI1 messages (TS 103 120)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hi1_transactions",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hi1_objects",
        sa.Column("object_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
    )
    op.create_index("ix_hi1_objects_owner", "hi1_objects", ["owner"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("hi1_objects")
    op.drop_table("hi1_transactions")
