from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy

from garim.kit.db import Database
from garim.statements.refusal import Kind, RefusedError


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "state.db", busy_timeout_ms=200)
    with made.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    return made


def notes(database: Database) -> list[str]:
    with database.reading() as connection:
        return [text for (text,) in connection.exec_driver_sql("SELECT text FROM note ORDER BY id")]


def write(database: Database, text: str) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO note (text) VALUES (?)", (text,))


def reason(caught: pytest.ExceptionInfo[RefusedError]) -> tuple[str, Kind]:
    return caught.value.reason, caught.value.kind


def test_what_is_acknowledged_is_synced_in_wal_mode_with_foreign_keys(database: Database) -> None:
    with database.writing() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert values == ["wal", 2, 1]


def test_a_block_that_raises_is_undone_whole(database: Database) -> None:
    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO note (text) VALUES ('one')")
            connection.exec_driver_sql("CREATE TABLE more (id INTEGER)")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert notes(database) == []
    with database.reading() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    assert tables == [("note",)]


def test_writers_wait_in_line_and_none_is_lost(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def add() -> None:
        for _ in range(10):
            with database.writing() as connection:
                value = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
                connection.exec_driver_sql("UPDATE counter SET value = ?", (value + 1,))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 40


def test_a_reader_keeps_its_snapshot_beside_a_writer(database: Database) -> None:
    write(database, "one")
    with database.reading() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM note").scalar_one()
        write(database, "two")
        assert connection.exec_driver_sql("SELECT count(*) FROM note").scalar_one() == before == 1
    assert notes(database) == ["one", "two"]


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(RefusedError) as caught, database.reading() as connection:
        connection.exec_driver_sql("INSERT INTO note (text) VALUES ('one')")
    assert reason(caught) == ("DATABASE_READ_ONLY", Kind.UNAVAILABLE)


def test_a_database_locked_by_another_process_says_so(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RefusedError) as caught:
        write(database, "one")
    assert reason(caught) == ("DATABASE_LOCKED", Kind.UNAVAILABLE)
    other.execute("ROLLBACK")
    other.close()
    write(database, "one")


def test_a_writing_transaction_holds_the_database_from_its_first_moment(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None, timeout=0)
    with database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_the_readiness_check_does_not_wait_behind_a_writer(database: Database) -> None:
    with database.writing():
        database.check()


def test_the_readiness_check_sees_a_database_that_cannot_be_written(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RefusedError, match="DATABASE_LOCKED"):
        database.check()
    other.close()


def test_a_full_disk_says_so_and_leaves_nothing_half_done(database: Database) -> None:
    with database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(RefusedError) as caught:
        write(database, "x" * 100_000)
    assert reason(caught) == ("DATABASE_FULL", Kind.EXHAUSTED)
    assert notes(database) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o600)
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 10)
    with pytest.raises(RefusedError) as caught:
        Database(path)
    assert reason(caught) == ("DATABASE_CORRUPT", Kind.DATA_LOSS)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="DATABASE_UNREACHABLE"):
        Database(tmp_path / "absent" / "state.db")


def test_nobody_else_can_read_the_files(database: Database, tmp_path: Path) -> None:
    write(database, "one")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o600)
    path.chmod(0o640)
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        Database(path)


def test_a_broken_constraint_stays_the_statements_own_error_and_shows_no_value(database: Database) -> None:
    write(database, "a private text")
    with pytest.raises(sqlalchemy.exc.IntegrityError) as caught:
        write(database, "a private text")
    assert "private" not in str(caught.value)
