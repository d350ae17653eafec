"""Epochs, dossiers, orders, unmask requests, decisions, freezes, the comparison with the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# 64 bits on both: SQLite's INTEGER has them, PostgreSQL's only 32.
_WIDE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = (
    "documents_used",
    "dossiers",
    "epochs",
    "freezes",
    "governance_decisions",
    "governance_proposals",
    "governance_versions",
    "key_objects",
    "ledger_forks",
    "ledger_intents",
    "ledger_pins",
    "log_comparison",
    "orders",
    "recovery_keys",
    "revocation_lists",
    "stopped_documents",
    "thaw_decisions",
    "dossier_conversations",
    "dossier_shares",
    "order_batches",
    "order_epochs",
    "order_keys",
    "unmask_requests",
    "unmask_decisions",
    "unmask_identities",
    "unmask_shares",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "documents_used",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("authority", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.UniqueConstraint("authority", "number"),
    )
    op.create_table(
        "dossiers",
        sa.Column("dossier_id", sa.String, primary_key=True),
        sa.Column("document_digest", sa.String, nullable=False, unique=True),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("grant_digest", sa.String, nullable=False),
        sa.Column("grant", sa.LargeBinary, nullable=False),
        sa.Column("grant_proof", sa.LargeBinary, nullable=False),
        sa.Column("case_id", sa.String, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_ms", _WIDE, nullable=False),
        sa.Column("created_body", sa.LargeBinary, nullable=False),
        sa.Column("governance_version", sa.Integer, nullable=False),
        sa.Column("quorum", sa.Integer, nullable=False),
        sa.Column("expires_ms", _WIDE),
        sa.Column("unmask_until_ms", _WIDE, nullable=False),
        sa.Column("unmask_budget", sa.Integer, nullable=False),
        sa.Column("public_key", sa.LargeBinary),
        sa.Column("wrapped_private", sa.LargeBinary),
        sa.Column("sealed_secret", sa.LargeBinary),
        sa.Column("closing_digest", sa.String),
        sa.Column("receipt", sa.LargeBinary),
        sa.Column("receipt_proof", sa.LargeBinary),
    )
    op.create_table(
        "epochs",
        sa.Column("epoch_id", sa.String, primary_key=True),
        sa.Column("not_before_ms", _WIDE, nullable=False, unique=True),
        sa.Column("not_after_ms", _WIDE, nullable=False, unique=True),
        sa.Column("retention_ms", _WIDE, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_private", sa.LargeBinary),
        sa.Column("wrapped_index", sa.LargeBinary),
    )
    op.create_table(
        "freezes",
        sa.Column("freeze_id", sa.String, primary_key=True),
        sa.Column("since_ms", _WIDE, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("ended_ms", _WIDE),
    )
    op.create_table(
        "governance_decisions",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "governance_proposals",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "governance_versions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
        sa.Column("proof", sa.LargeBinary),
    )
    op.create_table(
        "key_objects",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("object", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("due_ms", _WIDE),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("silent_ms", _WIDE, nullable=False),
        sa.Column("certificate", sa.LargeBinary),
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
    compared = op.create_table(
        "log_comparison",
        sa.Column("state", sa.String, nullable=False),
        sa.Column("size", _WIDE, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("origin", sa.String),
    )
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String, primary_key=True),
        sa.Column("document_digest", sa.String, nullable=False, unique=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("grant_digest", sa.String, nullable=False),
        sa.Column("case_id", sa.String, nullable=False),
        sa.Column("authority", sa.String, nullable=False),
        sa.Column("case_number", sa.String, nullable=False),
        sa.Column("until_ms", _WIDE, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary),
    )
    op.create_table(
        "recovery_keys",
        sa.Column("public_key", sa.LargeBinary, primary_key=True),
        sa.Column("wrapped_private", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "revocation_lists",
        sa.Column("issuer", sa.LargeBinary, primary_key=True),
        sa.Column("signer", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "stopped_documents",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("at_ms", _WIDE, nullable=False),
    )
    op.create_table(
        "thaw_decisions",
        sa.Column("freeze_id", sa.String, primary_key=True),
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "dossier_conversations",
        sa.Column("dossier_id", sa.String, sa.ForeignKey("dossiers.dossier_id"), primary_key=True),
        sa.Column("tag", sa.String, primary_key=True),
    )
    op.create_index("ix_dossier_conversations_tag", "dossier_conversations", ["tag"])
    op.create_table(
        "dossier_shares",
        sa.Column("dossier_id", sa.String, sa.ForeignKey("dossiers.dossier_id"), primary_key=True),
        sa.Column("subset", sa.String, primary_key=True),
        sa.Column("custodian", sa.String, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "order_batches",
        sa.Column("order_id", sa.String, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("batch_id", sa.String, primary_key=True),
        sa.Column("kept", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "order_epochs",
        sa.Column("order_id", sa.String, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("epoch_id", sa.String, primary_key=True),
        sa.Column("tags", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "order_keys",
        sa.Column("order_id", sa.String, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("record_digest", sa.LargeBinary, primary_key=True),
        sa.Column("batch_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
    )
    op.create_table(
        "unmask_requests",
        sa.Column("request_id", sa.String, primary_key=True),
        sa.Column("dossier_id", sa.String, sa.ForeignKey("dossiers.dossier_id"), nullable=False),
        sa.Column("document_digest", sa.String, nullable=False, unique=True),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("grant_digest", sa.String, nullable=False),
        sa.Column("grant", sa.LargeBinary, nullable=False),
        sa.Column("grant_proof", sa.LargeBinary, nullable=False),
        sa.Column("case_id", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("filer", sa.String, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_private", sa.LargeBinary),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("opened_ms", _WIDE, nullable=False),
        sa.Column("expires_ms", _WIDE, nullable=False),
        sa.Column("opened_body", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("ix_unmask_requests_dossier_id", "unmask_requests", ["dossier_id"])
    op.create_table(
        "unmask_decisions",
        sa.Column("request_id", sa.String, sa.ForeignKey("unmask_requests.request_id"), primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", _WIDE, nullable=False),
    )
    op.create_table(
        "unmask_identities",
        sa.Column("request_id", sa.String, sa.ForeignKey("unmask_requests.request_id"), primary_key=True),
        sa.Column("pseudonym", sa.String, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "unmask_shares",
        sa.Column("request_id", sa.String, sa.ForeignKey("unmask_requests.request_id"), primary_key=True),
        sa.Column("subset", sa.String, primary_key=True),
        sa.Column("custodian", sa.String, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    # One row: every start of the service begins a comparison anew.
    op.bulk_insert(compared, [{"state": "checked", "size": 0, "frontier": b""}])


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)
