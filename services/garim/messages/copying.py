"""Putting many rows into the database at once: COPY on PostgreSQL, executemany on SQLite."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from garim.messages.tables import MEMBER_TAGS, SEGMENTS

SegmentIndexRow = tuple[int | bytes, ...]

_INSERT = (
    "INSERT INTO segments (partition, bucket, kind, roster, batch, place, size, sent_first, sent_span,"
    " messages, segment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COPY = (
    "COPY segments (partition, bucket, kind, roster, batch, place, size, sent_first, sent_span, messages,"
    " segment) FROM STDIN (FORMAT BINARY)"
)
# PostgreSQL's binary COPY: a signature, then each row: its number of fields, each field behind its length.
_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL = b"\xff\xff"
_ROW = struct.Struct(">hiiihihiiiiiiiiiqiiihi16s")
_FIELDS = len(SEGMENTS.columns)
_TAG_COLUMNS = ", ".join(one.name for one in MEMBER_TAGS.columns)
_INSERT_TAGS = f"INSERT INTO member_tags ({_TAG_COLUMNS}) VALUES (?, ?, ?, ?)"  # noqa: S608 - names of our own
_COPY_TAGS = f"COPY member_tags ({_TAG_COLUMNS}) FROM STDIN"


def copy_segments(connection: sa.Connection, rows: Sequence[SegmentIndexRow]) -> None:
    """Insert rows of the index.

    Args:
        connection: An open writing transaction.
        rows: In the order of the table's columns.
    """
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(_INSERT, list(rows))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEAD + b"".join(map(_packed, rows)) + _TAIL)


def copy_member_tags(connection: sa.Connection, rows: Sequence[tuple[int, bytes, int, int]]) -> None:
    """Insert members' tags.

    Args:
        connection: An open writing transaction.
        rows: In the order of the table's columns.
    """
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(_INSERT_TAGS, list(rows))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY_TAGS) as copy:
        for row in rows:
            copy.write_row(row)


def _packed(row: SegmentIndexRow) -> bytes:
    partition, bucket, kind, roster, batch, place, size, first, span, messages, segment = row
    return _ROW.pack(
        _FIELDS, 4, partition, 2, bucket, 2, kind, 4, roster, 4, batch, 4, place, 4, size, 8, first, 4, span,
        2, messages, 16, segment,
    )  # fmt: skip
