"""Transitions, deliveries, settled duties, refused documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("case_events", "case_deliveries", "case_settlements", "refused_documents")


def upgrade() -> None:
    """Make the tables; of earlier cases it is known when, and by whom, they were received."""
    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
    )
    op.create_index("ix_case_events_case_id", "case_events", ["case_id"])
    op.create_table(
        "case_deliveries",
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.Column("proof", sa.LargeBinary, nullable=False),
        sa.Column("delivered_ms", sa.BigInteger),
        sa.Column("delivered_index", sa.BigInteger),
        sa.Column("acknowledged_ms", sa.BigInteger),
    )
    op.create_table(
        "case_settlements",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger),
    )
    op.create_index("ix_case_settlements_case_id", "case_settlements", ["case_id"])
    op.create_table(
        "refused_documents",
        sa.Column("refusal_id", sa.LargeBinary, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
    )
    op.create_index("ix_refused_documents_received_ms", "refused_documents", ["received_ms"])
    op.execute(
        "INSERT INTO case_events (case_id, at_ms, cause, state, who)"
        " SELECT case_id, received_ms, 'accepted', 'received', 'person/clerk/' || filer FROM cases"
    )


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
