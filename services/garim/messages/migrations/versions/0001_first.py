"""The store's first tables.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from alembic import op

from garim.messages.tables import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Remove them."""
    METADATA.drop_all(op.get_bind())
