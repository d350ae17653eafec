"""The store's tables. Their queries stand in `ingest_rows`, `scope_rows` and `epoch_rows`: the only SQL here.

Every epoch's rows lie in a partition of their own, whose number is the first column of each large table: on
PostgreSQL a partition of the table, dropped whole; on SQLite a range of its key. The bucket is that of the
conversation's tag, by which a partition spreads over servers. No key reaches across buckets.

A batch is one row of `parts` for each bucket that it touches, which holds its segments' ciphertexts;
`segments` says where each lies, and with `batches` and `rosters` holds what its header says, once. Nothing in
any column is readable content or made from it without a key that is not in the database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from garim.kit import governance_table, ledger

METADATA = MetaData()

EPOCHS = Table(
    "epochs",
    METADATA,
    Column("number", Integer, Identity(), primary_key=True),
    Column("epoch", LargeBinary(16), nullable=False, unique=True),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    # How long its rows must stay after its end, as governance said when it was opened.
    Column("retention", BigInteger, nullable=False, server_default="0"),
    # Into how many buckets its conversations fall.
    Column("buckets", SmallInteger, nullable=False, server_default="1"),
    # Where its rows lie; null once none are left. What is preserved moves to a partition of its own.
    Column("partition", Integer, unique=True),
    # The partition its rows have left, until that is dropped.
    Column("leaving", Integer),
    # Nothing is stored in it any more; the account follows.
    Column("ended", Integer, nullable=False, server_default="0"),
    Column("leaves", BigInteger),
    Column("payload", LargeBinary),
    Column("envelope", LargeBinary),
    Column("proof", LargeBinary),
    # Its retention is over: what it still has is preserved.
    Column("dropped", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
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
    Column("epoch", Integer, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True),
    Column("roster", Integer, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("sent_start", BigInteger, nullable=False),
    Column("sent_end", BigInteger, nullable=False),
    Column("received_until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def _partitioned(name: str, *items: SchemaItem, key: tuple[str, ...], rowid: bool = False) -> Table:
    """Declare a table with a part in every partition.

    PostgreSQL takes no foreign table into a table with a unique key: each partition has its keys itself
    (`open_partition` of the migrations).
    """
    return Table(
        name,
        METADATA,
        Column("partition", Integer, nullable=False),
        *items,
        PrimaryKeyConstraint("partition", *key).ddl_if(dialect="sqlite"),
        postgresql_partition_by="LIST (partition)",
        sqlite_with_rowid=rowid,
    )


WRITE_SECRETS = _partitioned(
    "write_secrets",
    # The process that made it: each has a chain of its own.
    Column("writer", LargeBinary(8), nullable=False),
    Column("number", Integer, nullable=False),
    Column("secret", LargeBinary(32), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("partition", "secret").ddl_if(dialect="sqlite"),
    key=("writer", "number"),
)

BATCHES = _partitioned(
    "batches",
    # A reader's snapshot is "up to this number".
    Column("number", Integer, nullable=False),
    Column("producer", Text, nullable=False),
    Column("batch", LargeBinary(16), nullable=False),
    # HMAC of the content under a key derived from K.
    Column("digest", LargeBinary(32), nullable=False),
    Column("received", BigInteger, nullable=False),
    # The write secret that its segments are sealed under.
    Column("secret", LargeBinary(32), nullable=False),
    # How many messages it holds; null for what 0.1.0 stored.
    Column("messages", SmallInteger),
    UniqueConstraint("producer", "batch", "partition").ddl_if(dialect="sqlite"),
    key=("number",),
)

PARTS = _partitioned(
    "parts",
    Column("bucket", SmallInteger, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    key=("bucket", "batch"),
    rowid=True,
)

SEGMENTS = _partitioned(
    "segments",
    # In this order PostgreSQL pads nothing: a row takes 80 bytes.
    Column("bucket", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("roster", Integer, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sent_first", BigInteger, nullable=False),
    # Milliseconds from the earliest sent-at to the latest: below an hour.
    Column("sent_span", Integer, nullable=False),
    Column("messages", SmallInteger, nullable=False),
    Column("segment", LargeBinary(16), nullable=False),
    key=("bucket", "roster", "batch", "place"),
)

ROSTERS = _partitioned(
    "rosters",
    Column("bucket", SmallInteger, nullable=False),
    Column("number", Integer, nullable=False),
    # The conversation's.
    Column("tag", LargeBinary(32), nullable=False),
    # HMAC under K of the plaintext roster's digest.
    Column("asking", LargeBinary(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("record", LargeBinary, nullable=False),
    UniqueConstraint("partition", "bucket", "asking").ddl_if(dialect="sqlite"),
    Index("ix_rosters_tag", "partition", "tag").ddl_if(dialect="sqlite"),
    key=("bucket", "number"),
    rowid=True,
)

MEMBER_TAGS = _partitioned(
    "member_tags",
    Column("tag", LargeBinary(32), nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("roster", Integer, nullable=False),
    key=("tag", "bucket", "roster"),
)

CONVERSATIONS = _partitioned(
    "conversations",
    # The account of a closed epoch: how many segments, their digest, the place in the epoch's tree.
    Column("bucket", SmallInteger, nullable=False),
    Column("tag", LargeBinary(32), nullable=False),
    Column("segments", BigInteger, nullable=False),
    Column("account", LargeBinary(32), nullable=False),
    Column("place", BigInteger, nullable=False),
    # All headers, where only the preserved segments of the conversation stay.
    Column("headers", LargeBinary),
    key=("bucket", "tag"),
)

ACCOUNT_NODES = _partitioned(
    "account_nodes",
    Column("level", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    key=("level", "position"),
)

ledger.add_to(METADATA)
governance_table.add_to(METADATA)
