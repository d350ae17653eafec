"""Builds, lifts, the ledger, governance versions."""

from __future__ import annotations

from alembic import op

from garim.redaction.tables import METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = ("builds", "lifts", "ledger_intents", "ledger_pins", "ledger_forks", "governance_versions")


def upgrade() -> None:
    """Make the tables."""
    for name in _TABLES:
        METADATA.tables[name].create(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        METADATA.tables[name].drop(op.get_bind())
