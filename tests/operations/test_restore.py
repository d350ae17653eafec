"""All five databases copied while messages come in, destroyed, restored: nothing from before is missing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garim.cli.main import app
from garim.cli.meshfolder import SERVICES
from garim.documents.fields import write_instant
from mesh_support.live import LiveMesh, insist, until
from operations_support import SENT_BEFORE_MS, Traffic

pytestmark = pytest.mark.timeout(300)
# The log last: it then holds whatever another database has pinned.
ORDER = ("custody", "messages", "warrants", "redaction", "audit")


def back_up(mesh: LiveMesh, service: str, folder: Path) -> None:
    """Copy a database that is in use, as deploy/README.md says."""
    database = mesh.places.service(service) / "database.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / f"{service}.sqlite"),))


def destroy_and_restore(mesh: LiveMesh, service: str, folder: Path) -> None:
    """Put the copy in place of a database that is lost with its journal."""
    database = mesh.places.service(service) / "database.sqlite"
    for path in database.parent.glob("database.sqlite*"):
        path.unlink()
    database.write_bytes((folder / f"{service}.sqlite").read_bytes())
    database.chmod(0o600)


def frozen(mesh: LiveMesh) -> str | None:
    told = CliRunner().invoke(app, ["custody", "status", "--json", "--mesh", str(mesh.root)])
    assert told.exit_code == 0, told.output
    reason: str | None = json.loads(told.stdout)["freeze_reason"]
    return reason


def garim(mesh: LiveMesh, *arguments: str) -> None:
    done = CliRunner().invoke(app, [*arguments, "--reason", "TEST", "--mesh", str(mesh.root)])
    assert done.exit_code == 0, done.output


def thaw(mesh: LiveMesh) -> None:
    for person in ("ga-on", "na-rae"):
        garim(mesh, "custody", "thaw", "--as", f"custodian/{person}")


def disclosed(mesh: LiveMesh, case: bytes, folder: Path) -> int:
    """Build a case's dossier and fetch it; returns how many messages it holds."""
    insist(lambda: mesh.build(case))
    receipt, opened = mesh.fetch(case, folder)
    assert len(list(opened.messages())) == receipt.messages
    return receipt.messages


def test_five_restored_databases_hold_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir(mode=0o700)
    began_ms = time.time_ns() // 1_000_000 - SENT_BEFORE_MS
    with LiveMesh(tmp_path / "mesh") as mesh:
        chosen = mesh.store_sample()
        until(lambda: mesh.query("custody", "SELECT state FROM log_comparison") == [("checked",)])
        early = mesh.granted(mesh.document([("account", chosen.subject)], chosen.period))
        with Traffic(mesh.root) as traffic:
            until(lambda: traffic.acknowledged > 100)
            back_up(mesh, "custody", folder)
            # What the restored custody has forgotten, and the log tells it.
            garim(mesh, "custody", "freeze", "--as", "custodian/ga-on")
            thaw(mesh)
            kept = traffic.acknowledged
            for service in ORDER[1:]:
                back_up(mesh, service, folder)
        assert (traffic.failed, traffic.acknowledged) == ([], traffic.put)
        for service in SERVICES:
            mesh.kill(service)
        for service in SERVICES:
            destroy_and_restore(mesh, service, folder)
        mesh.up()
        until(lambda: mesh.query("custody", "SELECT state FROM log_comparison") == [("checked",)])
        assert frozen(mesh) == "recovery", "custody looked into the log and waits for its quorum"
        thaw(mesh)
        room = len(chosen.originals)
        assert disclosed(mesh, early, tmp_path / "early") >= room
        period = (write_instant(began_ms), write_instant(time.time_ns() // 1_000_000 - SENT_BEFORE_MS))
        late = mesh.granted(mesh.document([("account", "traffic:a")], period))
        found = disclosed(mesh, late, tmp_path / "late")
        with Traffic(mesh.root) as again:
            until(lambda: again.acknowledged > 100)
        assert (again.failed, again.acknowledged) == ([], again.put)
    print({"kept": kept, "restored": found, "put": traffic.put})  # noqa: T201 - what `make test-operations` reports
    assert kept <= found <= traffic.put
