"""The whole service started on an older copy of its database: frozen, caught up, thawed by a quorum."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Mesh:
    """A mesh of real processes, steered as its people do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "services/custody/database.sqlite"

    def garim(self, *arguments: str) -> str:
        """Run a command and return what it prints."""
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from garim.cli.main import run; run()",
                *arguments,
                "--mesh",
                str(self.folder),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Return how custody stands."""
        answer: dict[str, Any] = json.loads(
            self.garim("custody", "status", "--as", "operator/han-byeol", "--json")
        )
        return answer

    def thaw(self) -> None:
        """Have two custodians thaw custody, once it has caught up."""
        for person in ("ga-on", "na-rae"):
            self.garim("custody", "thaw", "--as", f"custodian/{person}", "--reason", "TEST")

    def freeze(self) -> None:
        """Have one custodian freeze custody."""
        self.garim("custody", "freeze", "--as", "custodian/ga-on", "--reason", "TEST")

    def rows(self, query: str) -> list[Any]:
        """Read custody's database."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found

    def until(self, query: str, wanted: object) -> None:
        """Wait until the database says something."""
        for _ in range(200):
            if self.rows(query) == [(wanted,)]:
                return
            time.sleep(0.1)
        pytest.fail(f"never: {query} -> {wanted}")


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    made = Mesh(tmp_path / "mesh")
    made.garim("mesh", "up")
    yield made
    made.garim("mesh", "down")


def test_custody_on_an_older_database_is_frozen_catches_up_and_is_thawed_by_a_quorum(
    mesh: Mesh, tmp_path: Path
) -> None:
    mesh.until("SELECT state FROM log_comparison", "checked")
    backup = tmp_path / "backup.sqlite"
    with sqlite3.connect(mesh.database) as kept, sqlite3.connect(backup) as copy:
        kept.backup(copy)
    kept.close()
    copy.close()
    mesh.freeze()
    mesh.until("SELECT count(*) FROM ledger_intents WHERE kind = 'freeze' AND proof IS NOT NULL", 1)
    mesh.thaw()
    mesh.garim("mesh", "down")
    for rest in ("-wal", "-shm"):
        mesh.database.with_name(mesh.database.name + rest).unlink(missing_ok=True)
    mesh.database.write_bytes(backup.read_bytes())
    mesh.garim("mesh", "up")
    mesh.until("SELECT state FROM log_comparison", "checked")
    assert mesh.rows("SELECT cause FROM freezes WHERE ended_ms IS NULL") == [("recovery",)]
    assert "recovery" in json.dumps(mesh.status())
    mesh.thaw()
    assert mesh.rows("SELECT count(*) FROM freezes WHERE ended_ms IS NULL") == [(0,)]
