"""The store's tables. Their queries stand in `ingest_rows`, `scope_rows` and `epoch_rows`: the only SQL here.

A batch is one row that holds its complete segments; `segments` says where each lies. Rows refer to each
other by small numbers, so that what a segment costs beside its ciphertext is some forty bytes. Nothing in any
column is readable content or made from it without a key that is not in the database.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

from garim.kit import governance_table, ledger

METADATA = MetaData()

EPOCHS = Table(
    "epochs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("epoch", LargeBinary(16), nullable=False, unique=True),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    # Nothing is stored in it any more; the account follows.
    Column("ended", Integer, nullable=False, server_default="0"),
    Column("leaves", BigInteger),
    Column("payload", LargeBinary),
    Column("envelope", LargeBinary),
    Column("proof", LargeBinary),
    Column("dropped", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

WRITE_SECRETS = Table(
    "write_secrets",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False, index=True),
    Column("secret", LargeBinary(32), nullable=False, unique=True),
    Column("record", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("tag", LargeBinary(32), nullable=False),
    # The account of a closed epoch: how many segments, their digest, the place in the epoch's tree.
    Column("segments", BigInteger),
    Column("account", LargeBinary(32)),
    Column("place", BigInteger),
    # All headers, kept where only the preserved segments of the conversation stay.
    Column("headers", LargeBinary),
    UniqueConstraint("epoch", "tag"),
    sqlite_autoincrement=True,
)

ROSTERS = Table(
    "rosters",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("conversation", Integer, nullable=False),
    # HMAC under K of the plaintext roster's digest.
    Column("asking", LargeBinary(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("record", LargeBinary, nullable=False),
    UniqueConstraint("epoch", "asking"),
    sqlite_autoincrement=True,
)

MEMBER_TAGS = Table(
    "member_tags",
    METADATA,
    Column("epoch", Integer, primary_key=True),
    Column("tag", LargeBinary(32), primary_key=True),
    Column("roster", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

BATCHES = Table(
    "batches",
    METADATA,
    # Never used twice: a reader's snapshot is "up to this number".
    Column("number", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False, index=True),
    Column("received", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

BATCH_IDS = Table(
    "batch_ids",
    METADATA,
    Column("producer", Text, primary_key=True),
    Column("batch", LargeBinary(16), primary_key=True),
    Column("epoch", Integer, nullable=False, index=True),
    Column("received", BigInteger, nullable=False),
    # HMAC of the content under a key derived from K.
    Column("digest", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

SEGMENTS = Table(
    "segments",
    METADATA,
    Column("conversation", Integer, primary_key=True),
    Column("batch", Integer, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("roster", Integer, nullable=False),
    Column("sent_first", BigInteger, nullable=False),
    Column("sent_last", BigInteger, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("kind", Integer, nullable=False),
    sqlite_with_rowid=False,
)

ACCOUNT_NODES = Table(
    "account_nodes",
    METADATA,
    Column("epoch", Integer, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

FORECASTS = Table(
    "forecasts",
    METADATA,
    Column("document", LargeBinary(32), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    Column("envelope", LargeBinary),
)

PRESERVED = Table(
    "preserved",
    METADATA,
    Column("document", LargeBinary(32), primary_key=True),
    Column("conversation", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("sent_start", BigInteger, nullable=False),
    Column("sent_end", BigInteger, nullable=False),
    Column("received_until", BigInteger, nullable=False),
)

ledger.add_to(METADATA)
governance_table.add_to(METADATA)
