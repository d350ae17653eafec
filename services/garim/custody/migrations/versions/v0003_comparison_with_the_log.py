"""How far the log has been compared with the database."""

from __future__ import annotations

from alembic import op

from garim.custody.tables.restoring import comparison

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table with its one row; every start of the service begins a comparison anew."""
    comparison.create(op.get_bind())
    op.get_bind().execute(comparison.insert().values(state="checked", size=0, frontier=b""))


def downgrade() -> None:
    """Drop it."""
    comparison.drop(op.get_bind())
