"""Epochs, dossiers, preservation orders, used and stopped documents, freezes."""

from __future__ import annotations

from alembic import op

from garim.custody.tables import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "key_objects",
    "epochs",
    "documents_used",
    "stopped_documents",
    "freezes",
    "dossiers",
    "dossier_shares",
    "dossier_conversations",
    "orders",
    "order_epochs",
    "order_batches",
    "order_keys",
    "revocation_lists",
    "recovery_keys",
    "ledger_intents",
    "ledger_pins",
    "ledger_forks",
    "governance_versions",
)


def upgrade() -> None:
    """Make the tables."""
    for name in _TABLES:
        schema.metadata.tables[name].create(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        schema.metadata.tables[name].drop(op.get_bind())
