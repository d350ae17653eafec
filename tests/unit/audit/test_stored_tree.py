from __future__ import annotations

import concurrent.futures
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.audit import tables
from garim.audit.service import Appended, Call, Entry
from garim.kit.db import Database
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint, verify_checkpoint
from garim.translog.keys import VerifierKey
from garim.translog.leaf import commitment, parse_leaf
from garim.translog.memory import MemoryTree
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import hash_leaf
from ledger_support.mesh import CUSTODY, NOW_MS, ORIGIN, WARRANTS
from unit.audit.conftest import Served


def checkpoint_of(served: Served, note: bytes) -> Checkpoint:
    return verify_checkpoint(note, VerifierKey(ORIGIN, served.key.public_key().public_bytes_raw()), ORIGIN)


def pin_of(served: Served) -> CheckpointSeen:
    note, _ = served.log.newest(CUSTODY, None)
    checkpoint = checkpoint_of(served, note)
    return CheckpointSeen(size=checkpoint.size, root=checkpoint.root.hex())


def test_the_tree_is_the_same_after_every_restart(served: Served) -> None:
    tree = MemoryTree()
    tree.append(served.log.entries(CUSTODY, None, 0, 0))
    for number in range(40):
        appended = served.append(b"%d" % number)
        tree.append([appended.leaf])
        if number % 7 == 0:
            served.reopen()
        assert checkpoint_of(served, served.log.newest(CUSTODY, None)[0]).root == tree.root()


class KilledError(BaseException):
    """The process ends here: nothing catches this."""


def append_killed_at(served: Served, fatal: int) -> bool:
    """Append, ending at the statement number `fatal`; tell whether there was such a statement."""
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count == fatal:
            raise KilledError

    sa.event.listen(sa.Engine, "before_cursor_execute", die)
    try:
        served.append(b"dies %d" % fatal)
    except KilledError:
        return True
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", die)
    return False


def test_an_append_that_dies_at_any_statement_leaves_the_tree_as_it_was(served: Served) -> None:
    for number in range(6):
        served.append(b"%d" % number)
    before = pin_of(served)
    killed = 0
    while append_killed_at(served, killed + 1):
        killed += 1
        served.reopen()
        assert pin_of(served) == before
    assert killed > 5
    assert pin_of(served).size == before.size + 1


@pytest.mark.sqlite
def test_a_copy_of_the_files_at_any_moment_is_a_whole_tree(served: Served, tmp_path: Path) -> None:
    """What a killed process leaves on the disk: the database and its write-ahead log, taken mid-way."""
    taken: list[Path] = []

    def copy(*_: object) -> None:
        folder = tmp_path / f"copy{len(taken)}"
        folder.mkdir()
        for suffix in ("", "-wal"):
            source = Path(f"{served.path}{suffix}")
            if source.exists():
                target = folder / source.name
                target.touch(mode=0o600)
                target.write_bytes(source.read_bytes())
        taken.append(folder)

    sa.event.listen(sa.Engine, "before_cursor_execute", copy)
    try:
        for number in range(4):
            served.append(b"%d" % number)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", copy)
    pins = {pin_of(served).root}
    sizes = set()
    for folder in taken:
        copied = Served(folder / "audit.db", served.clock, served.key, served.database, served.log)
        copied.database = Database(copied.path)
        copied.reopen()
        sizes.add(pin_of(copied).size)
        served.log.newest(CUSTODY, pin_of(copied))
        copied.database.close()
    assert sizes == {1, 2, 3, 4}
    assert pins


def test_a_lost_answer_is_given_again_after_a_restart(served: Served) -> None:
    first = served.append(b"1")
    served.reopen()
    again = served.append(b"1")
    assert (again.index, again.leaf) == (first.index, first.leaf)


def test_after_a_start_the_log_waits_for_pins_again(served: Served) -> None:
    pin = pin_of(served)
    served.reopen(wait_for=("custody", "warrants"))
    with pytest.raises(RefusedError) as refused:
        served.append(b"1", pin)
    assert refused.value.reason == "LOG_WAITING_FOR_PINS"
    served.log.newest(WARRANTS, pin)
    assert served.append(b"1").index == 1


@pytest.mark.sqlite
def test_a_restored_log_stays_closed_while_a_witness_knows_more(served: Served, tmp_path: Path) -> None:
    served.append(b"1")
    served.database.close()
    backup = served.path.read_bytes()
    served.reopen()
    served.append(b"2")
    pin = pin_of(served)
    served.database.close()
    served.path.write_bytes(backup)
    served.reopen(wait_for=("custody", "warrants"))
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            served.log.newest(WARRANTS, pin)
        assert (refused.value.reason, refused.value.kind) == ("LOG_PIN", Kind.DATA_LOSS)
        served.log.newest(CUSTODY, pin_of(served))
        with pytest.raises(RefusedError) as refused:
            served.append(b"3")
        assert refused.value.reason == "LOG_WAITING_FOR_PINS"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_leaves SET leaf = leaf",
        "UPDATE log_nodes SET hash = hash",
        "UPDATE own_entries SET salt = salt",
        "DELETE FROM log_leaves",
        "DELETE FROM log_nodes",
        "DELETE FROM own_entries",
    ],
)
def test_the_database_itself_refuses_changes(served: Served, change: str) -> None:
    served.log.append_own(
        WARRANTS, Entry("access-refused", commitment(bytes(32), b"x"), NOW_MS, {}, None), b"x", bytes(32)
    )
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), served.database.writing() as connection:
        connection.exec_driver_sql(change)


def tamper_leaf(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER log_leaves_update")
    connection.execute(
        "UPDATE log_leaves SET leaf = CAST(replace(leaf, 'cancel', 'cancer') AS BLOB) WHERE position = 1"
    )


def tamper_node(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER log_nodes_update")
    connection.execute("UPDATE log_nodes SET hash = zeroblob(32) WHERE place = 1 << 56")


def tamper_last(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER log_leaves_delete")
    connection.execute("DELETE FROM log_leaves WHERE position = 0")


@pytest.mark.sqlite
@pytest.mark.parametrize("tamper", [tamper_leaf, tamper_node, tamper_last])
def test_a_damaged_tree_is_not_served(served: Served, tamper: Callable[[sqlite3.Connection], None]) -> None:
    for number in range(3):
        served.append(b"%d" % number)
    served.database.close()
    connection = sqlite3.connect(served.path)
    tamper(connection)
    connection.commit()
    connection.close()
    with pytest.raises(RefusedError) as refused:
        served.reopen()
    assert (refused.value.reason, refused.value.kind) == ("LOG_STORED", Kind.DATA_LOSS)


def test_many_threads_append_to_one_tree(served: Served) -> None:
    def work(number: int) -> tuple[int, bytes, list[bytes], bytes]:
        appended = served.append(b"%d" % number)
        return appended.index, appended.leaf, appended.path, appended.checkpoint

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(60)))
    assert sorted(index for index, *_ in answers) == list(range(1, 61))
    for index, leaf, path, note in answers:
        checkpoint = checkpoint_of(served, note)
        verify_inclusion(hash_leaf(leaf), index, checkpoint.size, path, checkpoint.root)
    served.reopen()


def test_a_page_of_large_leaves_fits_into_one_answer(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        served.append(b"%d" % number)
    size = len(served.log.entries(CUSTODY, None, 1, 1)[0])
    monkeypatch.setattr("garim.audit.service.MAX_PAGE_BYTES", 2 * size)
    assert len(served.log.entries(CUSTODY, None, 1, 0)) == 2
    monkeypatch.setattr("garim.audit.service.MAX_PAGE_BYTES", 1)
    assert len(served.log.entries(CUSTODY, None, 1, 0)) == 1


def test_own_entries_keep_what_they_commit_to(served: Served) -> None:
    salt, body = os.urandom(32), b"refused call"
    entry = Entry("access-refused", commitment(salt, body), NOW_MS, {"calls": 4}, None)
    served.log.append_own("spiffe://test.mesh/service/audit", entry, body, salt)
    with served.database.reading() as connection:
        row = connection.execute(sa.select(tables.own_entries)).one()
    assert commitment(row.salt, row.body) == row.commitment == entry.commitment


def test_entries_that_come_together_are_each_proven_and_a_bad_one_is_refused_alone(served: Served) -> None:
    before = pin_of(served)
    now_ms = served.clock.now_ms()
    wrong_pin = CheckpointSeen(size=before.size, root="0f" * 32)
    calls = [
        Call(CUSTODY, Entry("freeze", bytes([at]) * 32, now_ms - shift, {}, None), pin)
        for at, (shift, pin) in enumerate(
            [(0, before), (500_000, before), (5, None), (0, wrong_pin), (0, before)]
        )
    ]
    answers = served.log.append_group([*calls, calls[0]])
    refused = [one.reason if isinstance(one, RefusedError) else "" for one in answers]
    assert refused == ["", "LOG_TIME", "", "LOG_PIN", "", ""]
    proven = [one for one in answers if isinstance(one, Appended)]
    assert [one.index - before.size for one in proven] == [0, 1, 2, 0]
    for one in proven:
        checkpoint = checkpoint_of(served, one.checkpoint)
        assert checkpoint.size == before.size + 3
        verify_inclusion(hash_leaf(one.leaf), one.index, checkpoint.size, one.path, checkpoint.root)
    times = [parse_leaf(leaf).time_ms for leaf in served.log.entries(CUSTODY, None, 0, 0)]
    assert times == sorted(times)
