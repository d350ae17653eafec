from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.ledger import gauges, tables
from garim.kit.readings import by_state, number
from garim.kit.telemetry import Telemetry
from garim.testing.clock import ManualClock

ROWS = sa.Table("rows", sa.MetaData(), sa.Column("state", sa.Text), sa.Column("at", sa.Integer))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "service.sqlite")
    with made.writing() as connection:
        ROWS.create(connection)
        tables.create_all(connection)
    yield made
    made.close()


def test_states_without_a_row_count_as_none_and_others_are_left_out(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.insert(ROWS), [{"state": one, "at": 7} for one in ("held", "held", "gone")])
    assert by_state(database, ROWS.c.state, ["held", "packed"]) == {"held": 2, "packed": 0}
    assert number(database, sa.select(sa.func.max(ROWS.c.at))) == 7


def test_nothing_is_zero(database: Database) -> None:
    assert number(database, sa.select(sa.func.max(ROWS.c.at))) == 0


def test_an_entry_that_is_not_logged_shows_with_its_time(database: Database) -> None:
    waiting = {
        "kind": "case-received",
        "key": "a",
        "attempt": 1,
        "body": b"",
        "salt": bytes(32),
        "commitment": bytes(32),
        "magnitudes": b"{}",
        "time_ms": 5_000,
        "deferred": True,
        "superseded": False,
    }
    with database.writing() as connection:
        connection.execute(sa.insert(tables.intents), waiting)
    it = Telemetry("custody", ManualClock(), strict=True)
    gauges.show(it, database)
    shown = {family.name: family.samples[0].value for family in it.metrics.readings()}
    assert shown["garim_log_waiting_entries"] == 1
    assert shown["garim_log_waiting_since_timestamp_seconds"] == 5
    assert shown["garim_log_pinned_entries"] == 0
