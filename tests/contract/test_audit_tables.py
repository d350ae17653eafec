"""The log keeps its promises on either engine, as a role that cannot change a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.service import Appended, Entry, TransparencyLog
from garim.audit.tables import leaves
from garim.kit.db import Database
from garim.statements.refusal import RefusedError
from garim.testing.clock import ManualClock
from garim.translog.leaf import ZERO_SALT, commitment
from ledger_support.core import open_log, open_log_database
from ledger_support.mesh import CUSTODY, NOW_MS

GOVERNANCE = b"governance"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def database(engine: str, tmp_path: Path) -> Iterator[Database]:
    made = open_log_database(tmp_path / "audit.db")
    yield made
    made.close()


def opened(database: Database) -> TransparencyLog:
    return open_log(database, KEY, hashlib.sha256(GOVERNANCE).hexdigest(), ManualClock(NOW_MS))


@pytest.fixture
def log(database: Database) -> TransparencyLog:
    made = opened(database)
    made.append(CUSTODY, Entry("genesis", commitment(ZERO_SALT, GOVERNANCE), NOW_MS, {}, None), None)
    return made


def append(log: TransparencyLog, number: int) -> Appended:
    return log.append(CUSTODY, Entry("cancel", commitment(bytes(32), b"%d" % number), NOW_MS, {}, None), None)


def test_entries_of_many_callers_get_a_place_each_and_keep_it(
    database: Database, log: TransparencyLog
) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: append(log, number).index, range(40)))
    assert sorted(found) == list(range(1, 41))
    again = opened(database)
    assert [append(again, number).index for number in range(40)] == found


def test_no_leaf_is_changed_or_dropped(database: Database, log: TransparencyLog) -> None:
    for statement in (sa.delete(leaves), sa.update(leaves).values(leaf=b"x")):
        with (
            pytest.raises((RefusedError, sa.exc.IntegrityError), match=r"DATABASE_READ_ONLY|append-only"),
            database.writing() as connection,
        ):
            connection.execute(statement)
    assert append(log, 1).index == 1
