"""The tables of warrants. Ids and digests are bytes or lower-case hexadecimal."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit import governance_table, revocation_lists
from garim.kit.ledger import add_to as add_ledger_to

metadata = sa.MetaData()
add_ledger_to(metadata)
governance_table.add_to(metadata)
revocation_lists.add_to(metadata)

cases = sa.Table(
    "cases",
    metadata,
    # Never used twice, so that a page token stays where it was.
    sa.Column("place", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("case_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("case_number", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    # For a second request: the first document's digest.
    sa.Column("first", sa.Text, index=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("filer", sa.Text, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("forecast", sa.LargeBinary),
    sa.Column("remarks", sa.Text, nullable=False),
    sa.Column("refusal", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("statement", sa.LargeBinary),
    sa.Column("proof", sa.LargeBinary),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("authority", "number"),
    sqlite_autoincrement=True,
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
)

case_tickets = sa.Table(
    "case_tickets",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
)

case_conversations = sa.Table(
    "case_conversations",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True, index=True),
)

revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("authority", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
)

case_events = sa.Table(
    "case_events",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)

case_deliveries = sa.Table(
    "case_deliveries",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("receipt", sa.LargeBinary, nullable=False),
    sa.Column("proof", sa.LargeBinary, nullable=False),
    sa.Column("delivered_ms", sa.BigInteger),
    sa.Column("delivered_index", sa.BigInteger),
    sa.Column("acknowledged_ms", sa.BigInteger),
)

case_settlements = sa.Table(
    "case_settlements",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("until_ms", sa.BigInteger),
)

refused_documents = sa.Table(
    "refused_documents",
    metadata,
    sa.Column("refusal_id", sa.LargeBinary, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False, index=True),
    sa.Column("reasons", sa.Text, nullable=False),
)

hi1_transactions = sa.Table(
    "hi1_transactions",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("transaction_id", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)

hi1_objects = sa.Table(
    "hi1_objects",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("tree", sa.Text, nullable=False),
)
