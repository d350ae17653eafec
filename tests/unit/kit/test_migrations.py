from __future__ import annotations

from pathlib import Path

import pytest

from garim.kit.db import Database
from garim.kit.migrations import downgrade, upgrade

ENV = "from garim.kit.migrations import run_env\n\nrun_env()\n"
FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))

def downgrade():
    op.drop_table("note")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

def upgrade():
    with op.batch_alter_table("note") as table:
        table.add_column(sa.Column("size", sa.Integer, nullable=False, server_default="0"))

def downgrade():
    with op.batch_alter_table("note") as table:
        table.drop_column("size")
"""
BROKEN = """
from alembic import op

revision, down_revision = "0003", "0002"

def upgrade():
    op.execute("DELETE FROM note")
    raise KeyError("half way")

def downgrade():
    pass
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "100% migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "versions" / "0001_notes.py").write_text(FIRST)
    (folder / "versions" / "0002_size.py").write_text(SECOND)
    return folder


def rows(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM note")]


def test_migrations_go_up_and_down_with_data_in_the_tables(tmp_path: Path, scripts: Path) -> None:
    database = Database(tmp_path / "state.db")
    upgrade(database, scripts, "0001")
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES (1, 'one')")
    upgrade(database, scripts)
    upgrade(database, scripts)
    assert rows(database) == [(1, "one", 0)]
    downgrade(database, scripts, "0001")
    assert rows(database) == [(1, "one")]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, scripts: Path) -> None:
    database = Database(tmp_path / "state.db")
    upgrade(database, scripts)
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO note VALUES (1, 'one', 3)")
    (scripts / "versions" / "0003_broken.py").write_text(BROKEN)
    with pytest.raises(KeyError):
        upgrade(database, scripts)
    assert rows(database) == [(1, "one", 3)]
