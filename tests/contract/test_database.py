"""What a service may rely on, whichever engine its tables lie on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from garim.kit.db import Database, insert_or_ignore, insert_or_replace
from garim.kit.migrations import prepare
from garim.redaction.rights import RIGHTS
from garim.redaction.tables import lifts
from garim.statements.refusal import Kind, RefusedError
from kit_support.postgres import NewPlace, Place

MIGRATIONS = Path(str(resources.files("garim.redaction"))) / "migrations"
PRIVATE = "invented private text"


@pytest.fixture
def place(new_place: NewPlace) -> Place:
    return new_place("redaction")


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    made = Database(place, busy_timeout_ms=500)
    prepare(made, MIGRATIONS, RIGHTS)
    yield made
    made.close()


def row(person: str, holds: bytes = b"[]") -> dict[str, object]:
    return {"case_id": b"case", "subject": PRIVATE, "person": person, "decision": b"{}", "holds": holds}


def add(database: Database, person: str) -> None:
    with database.writing() as connection:
        connection.execute(sa.insert(lifts).values(row(person)))


def run_all(work: Callable[[], None], threads: int) -> None:
    """Run in so many threads; an error of any of them is raised."""
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(threads)]:
            done.result()


def people(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(sa.select(lifts.c.person).order_by(lifts.c.person)).scalars())


def test_what_a_block_wrote_is_there_for_the_next_one(database: Database) -> None:
    add(database, "bo-ra")
    assert people(database) == ["bo-ra"]


def test_a_block_that_raises_is_undone_whole(database: Database) -> None:
    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.execute(sa.insert(lifts).values(row("bo-ra")))
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert people(database) == []


def test_writers_wait_in_line_and_none_is_lost(database: Database, place: Place) -> None:
    add(database, "0")
    wide = Database(place, busy_timeout_ms=20_000)

    def count() -> None:
        for _ in range(10):
            with wide.writing() as connection:
                holds = connection.execute(sa.select(lifts.c.holds)).scalar_one()
                connection.execute(sa.update(lifts).values(holds=holds + b"1"))

    run_all(count, 4)
    with wide.reading() as connection:
        assert connection.execute(sa.select(lifts.c.holds)).scalar_one() == b"[]" + b"1" * 40
    wide.close()


def test_writers_of_two_processes_wait_for_each_other(database: Database, place: Place) -> None:
    # Two objects share nothing but the place, as two processes do.
    other = Database(place, busy_timeout_ms=200)
    with database.writing(), pytest.raises(RefusedError) as caught, other.writing():
        pass
    assert (caught.value.reason, caught.value.kind) == ("DATABASE_LOCKED", Kind.UNAVAILABLE)
    with other.writing() as connection:
        connection.execute(sa.insert(lifts).values(row("bo-ra")))
    other.close()
    assert people(database) == ["bo-ra"]


def test_a_plain_writer_waits_for_shared_ones_and_they_for_it(database: Database, place: Place) -> None:
    other = Database(place, busy_timeout_ms=200)
    with database.writing(shared=True), pytest.raises(RefusedError, match="DATABASE_LOCKED"), other.writing():
        pass
    with database.writing(), pytest.raises(RefusedError, match="DATABASE_LOCKED"), other.writing(shared=True):
        pass
    other.close()


def test_shared_writers_lose_nothing(database: Database, place: Place) -> None:
    wide = Database(place, busy_timeout_ms=20_000)
    names = iter([f"person-{number:02}" for number in range(40)])

    def write() -> None:
        for _ in range(10):
            with wide.writing(shared=True) as connection:
                connection.execute(sa.insert(lifts).values(row(next(names))))

    run_all(write, 4)
    assert len(people(wide)) == 40
    wide.close()


def test_a_reader_keeps_its_snapshot_beside_a_writer(database: Database) -> None:
    add(database, "bo-ra")
    count = sa.select(sa.func.count()).select_from(lifts)
    with database.reading() as connection:
        assert connection.execute(count).scalar_one() == 1
        add(database, "ma-ru")
        assert connection.execute(count).scalar_one() == 1
    assert people(database) == ["bo-ra", "ma-ru"]


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(RefusedError) as caught, database.reading() as connection:
        connection.execute(sa.insert(lifts).values(row("bo-ra")))
    assert (caught.value.reason, caught.value.kind) == ("DATABASE_READ_ONLY", Kind.UNAVAILABLE)
    add(database, "bo-ra")


def test_a_broken_constraint_stays_the_statements_own_error_and_shows_no_value(database: Database) -> None:
    add(database, "bo-ra")
    with pytest.raises(IntegrityError) as caught:
        add(database, "bo-ra")
    shown = repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    assert "bo-ra" not in shown
    assert PRIVATE not in shown


def test_the_readiness_check_does_not_wait_behind_a_writer(database: Database) -> None:
    with database.writing():
        database.check()


def test_a_row_that_is_there_is_left_or_replaced_wholly(database: Database) -> None:
    with database.writing() as connection:
        insert_or_ignore(connection, lifts, row("bo-ra", b"first"))
        insert_or_ignore(connection, lifts, row("bo-ra", b"second"))
        insert_or_ignore(connection, lifts, [row("ma-ru", b"one"), row("seul-gi", b"one")])
        insert_or_replace(connection, lifts, [row("ma-ru", b"two"), row("na-rae", b"two")])
        insert_or_replace(connection, lifts, [])
    with database.reading() as connection:
        found = connection.execute(sa.select(lifts.c.person, lifts.c.holds).order_by(lifts.c.person)).all()
    assert [tuple(one) for one in found] == [
        ("bo-ra", b"first"),
        ("ma-ru", b"two"),
        ("na-rae", b"two"),
        ("seul-gi", b"one"),
    ]
