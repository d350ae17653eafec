"""Unmask requests, decisions on thaws and on governance."""

from __future__ import annotations

from alembic import op

from garim.custody.tables import deciding, unmask

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    unmask.unmask_requests,
    unmask.unmask_identities,
    unmask.unmask_decisions,
    unmask.unmask_shares,
    deciding.thaw_decisions,
    deciding.proposals,
    deciding.proposal_decisions,
)


def upgrade() -> None:
    """Make the tables."""
    for table in _TABLES:
        table.create(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        table.drop(op.get_bind())
