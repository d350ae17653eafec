"""Write what each migration does on PostgreSQL, and let squawk judge it: `make migrations-check`.

Squawk knows what locks a table that is in use, or breaks a program that still runs. What it says of a
migration counts where tables have rows: each first migration makes them anew. Rules left out, with reasons,
stand in squawk.toml.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]
SERVICES = ("audit", "custody", "messages", "redaction", "warrants")


def rendered(service: str) -> dict[str, str]:
    """Return the SQL of each migration of a service on PostgreSQL, by revision."""
    scripts = ScriptDirectory(str(ROOT / "services/garim" / service / "migrations"))
    found = {}
    for script in reversed(list(scripts.walk_revisions())):
        buffer = io.StringIO()
        context = MigrationContext.configure(
            dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer}
        )
        with Operations.context(context):
            script.module.upgrade()
        found[script.revision] = buffer.getvalue()
    return found


def main() -> int:
    """Write the files into `build/migrations` and return squawk's verdict."""
    folder = ROOT / "build" / "migrations"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for service in SERVICES:
        for revision, text in rendered(service).items():
            (folder / f"{service}-{revision}.sql").write_text(text, encoding="utf-8")
    files = [str(path) for path in sorted(folder.glob("*.sql"))]
    squawk = Path(sys.executable).with_name("squawk")
    return subprocess.run(
        [squawk, "--config", Path(__file__).with_name("squawk.toml"), *files], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
