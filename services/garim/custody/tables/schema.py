"""The tables. Ids and digests are lower-case hexadecimal, times milliseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from garim.kit import governance_table, ledger, revocation_lists
from garim.kit.db.columns import WIDE

metadata = MetaData()
ledger.add_to(metadata)
governance_table.add_to(metadata)
revocation_lists.add_to(metadata)

key_objects = Table(
    "key_objects",
    metadata,
    Column("kind", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("due_ms", WIDE),
    Column("cause", String, nullable=False),
    Column("silent_ms", WIDE, nullable=False),
    Column("certificate", LargeBinary),
)

epochs = Table(
    "epochs",
    metadata,
    Column("epoch_id", String, primary_key=True),
    Column("not_before_ms", WIDE, nullable=False, unique=True),
    Column("not_after_ms", WIDE, nullable=False, unique=True),
    Column("retention_ms", WIDE, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("wrapped_private", LargeBinary),
    Column("wrapped_index", LargeBinary),
)

documents_used = Table(
    "documents_used",
    metadata,
    Column("digest", String, primary_key=True),
    Column("authority", String, nullable=False),
    Column("number", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("target", String, nullable=False),
    UniqueConstraint("authority", "number"),
)

stopped_documents = Table(
    "stopped_documents",
    metadata,
    Column("digest", String, primary_key=True),
    Column("cause", String, nullable=False),
    Column("at_ms", WIDE, nullable=False),
)

freezes = Table(
    "freezes",
    metadata,
    Column("freeze_id", String, primary_key=True),
    Column("since_ms", WIDE, nullable=False),
    Column("cause", String, nullable=False),
    Column("ended_ms", WIDE),
)

dossiers = Table(
    "dossiers",
    metadata,
    Column("dossier_id", String, primary_key=True),
    Column("document_digest", String, nullable=False, unique=True),
    Column("media_type", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("grant_digest", String, nullable=False),
    Column("grant", LargeBinary, nullable=False),
    Column("grant_proof", LargeBinary, nullable=False),
    Column("case_id", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_ms", WIDE, nullable=False),
    Column("created_body", LargeBinary, nullable=False),
    Column("governance_version", Integer, nullable=False),
    Column("quorum", Integer, nullable=False),
    Column("expires_ms", WIDE),
    Column("unmask_until_ms", WIDE, nullable=False),
    Column("unmask_budget", Integer, nullable=False),
    Column("public_key", LargeBinary),
    Column("wrapped_private", LargeBinary),
    Column("sealed_secret", LargeBinary),
    Column("closing_digest", String),
    Column("receipt", LargeBinary),
    Column("receipt_proof", LargeBinary),
)

dossier_shares = Table(
    "dossier_shares",
    metadata,
    Column("dossier_id", String, ForeignKey("dossiers.dossier_id"), primary_key=True),
    Column("subset", String, primary_key=True),
    Column("custodian", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)

share_holders = Table(
    "share_holders",
    metadata,
    Column("dossier_id", String, ForeignKey("dossiers.dossier_id"), primary_key=True),
    Column("custodian", String, primary_key=True),
    Column("holder", String, nullable=False, index=True),
    # Whoever filled two places of one dossier would be two of its quorum.
    UniqueConstraint("dossier_id", "holder"),
)

dossier_conversations = Table(
    "dossier_conversations",
    metadata,
    Column("dossier_id", String, ForeignKey("dossiers.dossier_id"), primary_key=True),
    Column("tag", String, primary_key=True, index=True),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("document_digest", String, nullable=False, unique=True),
    Column("payload", LargeBinary, nullable=False),
    Column("grant_digest", String, nullable=False),
    Column("case_id", String, nullable=False),
    Column("authority", String, nullable=False),
    Column("case_number", String, nullable=False),
    Column("until_ms", WIDE, nullable=False),
    Column("wrapped_key", LargeBinary),
)

order_epochs = Table(
    "order_epochs",
    metadata,
    Column("order_id", String, ForeignKey("orders.order_id"), primary_key=True),
    Column("epoch_id", String, primary_key=True),
    Column("tags", LargeBinary, nullable=False),
)

order_batches = Table(
    "order_batches",
    metadata,
    Column("order_id", String, ForeignKey("orders.order_id"), primary_key=True),
    Column("batch_id", String, primary_key=True),
    Column("kept", LargeBinary, nullable=False),
)

order_keys = Table(
    "order_keys",
    metadata,
    Column("order_id", String, ForeignKey("orders.order_id"), primary_key=True),
    Column("record_digest", LargeBinary, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("segment", Integer, nullable=False),
)

recovery_keys = Table(
    "recovery_keys",
    metadata,
    Column("public_key", LargeBinary, primary_key=True),
    Column("wrapped_private", LargeBinary, nullable=False),
)
