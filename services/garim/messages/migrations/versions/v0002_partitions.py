"""Partitions by epoch, buckets by conversation, one row of ciphertexts for each batch and bucket.

What 0.1.0 stored in a SQLite file is carried over, up and down; it knew no PostgreSQL, so there only empty
tables change. On PostgreSQL the owner's functions (`v0002_partitions.sql`) open and drop partitions; the
runtime role has no other way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RESHAPED = (
    "account_nodes",
    "batch_ids",
    "batches",
    "conversations",
    "epochs",
    "member_tags",
    "preserved",
    "rosters",
    "segments",
    "write_secrets",
)
_NEW = (*(one for one in _RESHAPED if one != "batch_ids"), "parts")
# Magic and version; segment id, write secret, conversation, roster; sent-at, received-at; count, kind.
_HEADER = struct.Struct(">4sB16s32s32s32sQQQQIB")
_AT_ONCE = 500

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "int": sa.Integer(),
    "small": sa.SmallInteger(),
    "big": sa.BigInteger(),
    "text": sa.Text(),
    "blob": sa.LargeBinary(),
}
# Columns beside `partition`; the key; whether SQLite wants a rowid; other unique columns.
_PARTITIONED: dict[str, tuple[str, str, bool, str]] = {
    "write_secrets": (
        "writer blob, number int, secret blob, record blob, signature blob, sealed blob",
        "writer number",
        False,
        "partition secret",
    ),
    "batches": (
        "number int, producer text, batch blob, digest blob, received big, secret blob, messages small?",
        "number",
        False,
        "producer batch partition",
    ),
    "parts": ("bucket small, batch int, data blob", "bucket batch", True, ""),
    "segments": (
        (
            "bucket small, kind small, roster int, batch int, place int, size int, sent_first big,"
            " sent_span int, messages small, segment blob"
        ),
        "bucket roster batch place",
        False,
        "",
    ),
    "rosters": (
        "bucket small, number int, tag blob, asking blob, digest blob, record blob",
        "bucket number",
        True,
        "partition bucket asking",
    ),
    "member_tags": ("tag blob, bucket small, roster int", "tag bucket roster", False, ""),
    "conversations": (
        "bucket small, tag blob, segments big, account blob, place big, headers blob?",
        "bucket tag",
        False,
        "",
    ),
    "account_nodes": ("level int, position big, hash blob", "level position", False, ""),
}

_FUNCTIONS = Path(__file__).with_suffix(".sql")
_FUNCTIONS_GONE = """
DROP TRIGGER keep_retained ON epochs;
DROP FUNCTION keep_retained(), forget_orders(integer, bigint), next_number(integer), drop_partition(integer),
    open_partition();
DROP SCHEMA spread CASCADE;
DROP FUNCTION follow_order(), unmake_partition(integer), make_partition(integer);
DROP SEQUENCE partitions;
"""


def upgrade() -> None:
    """Make the new tables and carry over what is in the old ones."""
    is_file = _is_file()
    for name in _RESHAPED:
        if is_file:
            op.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
        else:
            # Nothing is in it: 0.1.0 kept its rows in a file.
            op.execute(f"-- squawk-ignore ban-drop-table\nDROP TABLE {name}")
    for index in ("ix_batch_ids_epoch", "ix_batches_epoch", "ix_write_secrets_epoch") if is_file else ():
        op.execute(f"DROP INDEX {index}")
    _create_new()
    if is_file:
        _carry_up(op.get_bind())
        for name in _RESHAPED:
            op.drop_table(f"old_{name}")
        return
    op.execute("ALTER TABLE parts ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(sa.text(_FUNCTIONS.read_text(encoding="utf-8").replace(":", "\\:")))


def downgrade() -> None:
    """Make the former tables and carry back what is in the new ones."""
    is_file = _is_file()
    if not is_file:
        op.execute(
            "DO $$ DECLARE one text; BEGIN FOR one IN SELECT sequencename FROM pg_sequences"
            " WHERE sequencename LIKE 'numbers\\_%' LOOP EXECUTE format('DROP SEQUENCE %I', one); END LOOP;"
            " END $$"
        )
        op.execute(_FUNCTIONS_GONE)
    for name in _NEW:
        if is_file:
            op.execute(f"ALTER TABLE {name} RENAME TO new_{name}")
        else:
            op.execute(f"DROP TABLE {name} CASCADE")
    if is_file:
        op.execute("DROP INDEX ix_rosters_tag")
    _create_old()
    if is_file:
        _carry_down(op.get_bind())
        for name in _NEW:
            op.drop_table(f"new_{name}")


def _columns(described: str) -> Iterator[sa.Column[Any]]:
    for one in described.split(","):
        name, kind = one.split()
        yield sa.Column(name, _TYPES[kind.rstrip("?")], nullable=kind.endswith("?"))


def _is_file() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _number() -> sa.Column[Any]:
    return sa.Column("number", sa.Integer, sa.Identity(), primary_key=True)


def _create_new() -> None:
    is_file = _is_file()
    op.create_table(
        "epochs",
        _number(),
        sa.Column("epoch", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("retention", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("buckets", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("partition", sa.Integer, unique=True),
        sa.Column("leaving", sa.Integer),
        sa.Column("ended", sa.Integer, nullable=False, server_default="0"),
        sa.Column("leaves", sa.BigInteger),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("envelope", sa.LargeBinary),
        sa.Column("proof", sa.LargeBinary),
        sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "preserved",
        sa.Column("document", sa.LargeBinary(32), primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("bucket", sa.SmallInteger, primary_key=True),
        sa.Column("roster", sa.Integer, primary_key=True),
        *_columns("until big, sent_start big, sent_end big, received_until big"),
        sqlite_with_rowid=False,
    )
    for name, (described, key, rowid, unique) in _PARTITIONED.items():
        keys: list[sa.schema.SchemaItem] = []
        if is_file:
            keys.append(sa.PrimaryKeyConstraint("partition", *key.split()))
            keys += [sa.UniqueConstraint(*unique.split())] if unique else []
        op.create_table(
            name,
            sa.Column("partition", sa.Integer, nullable=False),
            *_columns(described),
            *keys,
            sqlite_with_rowid=rowid,
            postgresql_partition_by="LIST (partition)",
        )
    if is_file:
        op.create_index("ix_rosters_tag", "rosters", ["partition", "tag"])


def _create_old() -> None:
    op.create_table(
        "epochs",
        _number(),
        sa.Column("epoch", sa.LargeBinary(16), nullable=False, unique=True),
        *_columns("not_before big, not_after big"),
        sa.Column("ended", sa.Integer, nullable=False, server_default="0"),
        *_columns("leaves big?, payload blob?, envelope blob?, proof blob?"),
        sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "write_secrets",
        _number(),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False, unique=True),
        *_columns("record blob, signature blob, sealed blob"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "conversations",
        _number(),
        *_columns("epoch int, tag blob, segments big?, account blob?, place big?, headers blob?"),
        sa.UniqueConstraint("epoch", "tag"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rosters",
        _number(),
        *_columns("epoch int, conversation int, asking blob, digest blob, record blob"),
        sa.UniqueConstraint("epoch", "asking"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "batches", _number(), *_columns("epoch int, received big, data blob"), sqlite_autoincrement=True
    )
    for name, described, key in (
        ("member_tags", "epoch int, tag blob, roster int", "epoch tag roster"),
        ("batch_ids", "producer text, batch blob, epoch int, received big, digest blob", "producer batch"),
        (
            "segments",
            (
                "conversation int, batch int, place int, size int, roster int, sent_first big, sent_last big,"
                " messages int, kind int"
            ),
            "conversation batch place",
        ),
        ("account_nodes", "epoch int, level int, position big, hash blob", "epoch level position"),
    ):
        keys = sa.PrimaryKeyConstraint(*key.split())
        op.create_table(name, *_columns(described), keys, sqlite_with_rowid=False)
    op.create_table(
        "preserved",
        *_columns(
            "document blob, conversation int, epoch int, until big, sent_start big, sent_end big,"
            " received_until big"
        ),
        sa.PrimaryKeyConstraint("document", "conversation"),
    )
    for table in ("batch_ids", "batches", "write_secrets"):
        op.create_index(f"ix_{table}_epoch", table, ["epoch"])


def _statements(name: str) -> list[str]:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").rstrip("\n;").split(";\n")


def _run(connection: sa.Connection, statement: str, values: Any = ()) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(statement, values)


# Of each table the columns in their order, before and after.
_INSERTS = {
    "batches": "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "parts": "INSERT INTO parts VALUES (?, ?, ?, ?)",
    "segments": "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "former batches": "INSERT INTO batches VALUES (?, ?, ?, ?)",
    "former segments": "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


def _insert(connection: sa.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        _run(connection, _INSERTS[table], rows)


def _carry_up(connection: sa.Connection) -> None:
    for statement in _statements("v0002_carry_up.sql"):
        _run(connection, statement)
    behind = 0
    while True:
        batches = _run(
            connection,
            "SELECT number, epoch, received, data FROM old_batches WHERE number > ? ORDER BY number LIMIT ?",
            (behind, _AT_ONCE),
        ).all()
        if not batches:
            return
        for batch in batches:
            _carry_batch_up(connection, batch)
        behind = batches[-1].number


def _carry_batch_up(connection: sa.Connection, batch: Any) -> None:
    segments = _run(
        connection, "SELECT * FROM old_segments WHERE batch = ? ORDER BY place", (batch.number,)
    ).all()
    index: list[tuple[Any, ...]] = []
    blocks: list[bytes] = []
    secret, place = bytes(32), 0
    for one in segments:
        _, _, segment, secret, *_ = _HEADER.unpack(batch.data[one.place : one.place + _HEADER.size])
        blocks.append(batch.data[one.place + _HEADER.size : one.place + one.size])
        span = one.sent_last - one.sent_first
        index.append(
            (
                batch.epoch,
                0,
                one.kind,
                one.roster,
                batch.number,
                place,
                len(blocks[-1]),
                one.sent_first,
                span,
                one.messages,
                segment,
            )
        )
        place += len(blocks[-1])
    # Which of the batches of one millisecond an id belongs to makes no difference to its answer.
    known = _run(
        connection,
        "SELECT producer, batch, digest FROM old_batch_ids o WHERE epoch = ? AND received = ? AND NOT EXISTS"
        " (SELECT 1 FROM batches b WHERE b.producer = o.producer AND b.batch = o.batch) LIMIT 1",
        (batch.epoch, batch.received),
    ).one_or_none()
    name = known or ("", batch.number.to_bytes(16, "big"), bytes(32))
    _insert(connection, "batches", [(batch.epoch, batch.number, *name, batch.received, secret, None)])
    _insert(connection, "parts", [(batch.epoch, 0, batch.number, b"".join(blocks))])
    _insert(connection, "segments", index)


def _carry_down(connection: sa.Connection) -> None:
    for statement in _statements("v0002_carry_down.sql"):
        _run(connection, statement)
    batches = _run(
        connection,
        "SELECT b.partition, b.number, b.received, b.secret, e.number AS epoch FROM new_batches b"
        " JOIN new_epochs e ON e.partition = b.partition ORDER BY e.number, b.number",
    ).all()
    for number, batch in enumerate(batches, 1):
        _carry_batch_down(connection, batch, number)
    _run(connection, "DROP TABLE temp.roster_numbers")


def _carry_batch_down(connection: sa.Connection, batch: Any, number: int) -> None:
    rows = _run(
        connection,
        "SELECT s.*, p.data, r.tag, r.digest, n.number AS now, n.conversation FROM new_parts p"
        " JOIN new_segments s ON s.partition = p.partition AND s.bucket = p.bucket AND s.batch = p.batch"
        " JOIN new_rosters r ON r.partition = s.partition AND r.bucket = s.bucket AND r.number = s.roster"
        " JOIN roster_numbers n ON n.partition = s.partition AND n.bucket = s.bucket AND n.was = s.roster"
        " WHERE p.partition = ? AND p.batch = ? ORDER BY s.bucket, s.place",
        (batch.partition, batch.number),
    ).all()
    index: list[tuple[Any, ...]] = []
    parts: list[bytes] = []
    place = 0
    for one in rows:
        last = one.sent_first + one.sent_span
        header = _HEADER.pack(
            b"GRMS", 1, one.segment, batch.secret, one.tag, one.digest, one.sent_first, last, batch.received,
            batch.received, one.messages, one.kind,
        )  # fmt: skip
        parts += (header, one.data[one.place : one.place + one.size])
        size = _HEADER.size + one.size
        index.append(
            (one.conversation, number, place, size, one.now, one.sent_first, last, one.messages, one.kind)
        )
        place += size
    _insert(connection, "former batches", [(number, batch.epoch, batch.received, b"".join(parts))])
    _insert(connection, "former segments", index)
