"""An operator's day with cases, by the command line alone: what is due, letters, the register."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from garim.cli.case_commands import EXIT_OVERDUE
from garim.cli.main import app
from mesh_support.live import LiveMesh, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[LiveMesh]:
    with LiveMesh(tmp_path / "mesh") as live:
        yield live


class Desk:
    """Runs commands on a mesh."""

    def __init__(self, mesh: LiveMesh) -> None:
        self.mesh = mesh

    def run(self, *arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments, "--mesh", str(self.mesh.root)])
        assert result.exit_code == status, result.output
        return result.stdout

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        read = json.loads(self.run(*arguments, "--json", status=status))
        assert isinstance(read, dict)
        return read

    def due(self) -> dict[str, str]:
        return {one["item"]: one["standing"] for one in self.json("case", "due")["due"]}


def test_from_a_document_to_its_letter_its_duties_and_its_line(mesh: LiveMesh, tmp_path: Path) -> None:
    desk = Desk(mesh)
    chosen = mesh.store_sample()
    account = ("account", chosen.subject)
    case = mesh.granted(mesh.document([account], chosen.period)).hex()
    nothing = mesh.submit(mesh.document([("account", "kakao:없는사람")], chosen.period)).case.hex()
    file = tmp_path / "again.jws"
    file.write_bytes(mesh.sign(mesh.payload([account], chosen.period), "chief", "chief"))
    refused = desk.json("document", "submit", str(file), status=1)
    assert refused["error"]["reasons"]

    assert desk.due() == {"participation": "open"}
    desk.run("case", "letter", case, status=1)
    mesh.build(bytes.fromhex(case))
    assert desk.json("case", "show", case)["stage"] == "dossier-closed"
    receipt, _ = mesh.fetch(bytes.fromhex(case), tmp_path / "fetched")
    shown = desk.json("case", "show", case)
    assert (shown["stage"], shown["delivery"]["package"]) == ("delivered", receipt.package)
    assert desk.due() == {"participation": "open", "notify-subjects": "open", "dossier-end": "ends"}

    package = tmp_path / "fetched" / "dossier.zip.age"
    key, certificate = (str(mesh.places.agency / name) for name in ("clerk.key", "clerk.pem"))
    desk.run(
        "dossier", "acknowledge", case, "--package", str(package), "--key", key, "--certificate", certificate
    )
    events = desk.json("case", "timeline", case)["events"]
    causes = [one["what"] for one in events]
    assert causes[-3:] == ["dossier-closed", "delivered", "acknowledged"]
    assert "review-approved" not in causes

    desk.run("case", "done", case, "participation", "--reason", "TEST 변호인 참여")
    ground = ("--ground", "life-and-limb", "--reason", "TEST 승인서")
    desk.run("case", "defer", case, "notify-subjects", "--until", "2020-01-01", *ground, status=1)
    desk.run("case", "done", case, "notify-subjects", "--reason", "TEST 통지서", "--as", "reviewer/bo-ra")
    assert desk.due() == {"dossier-end": "ends"}
    until(lambda: mesh.logged("duty-done") == 2)

    certificate_text = desk.run("case", "letter", case)
    for wanted in (receipt.package, "자료 전달 확인서", "Certificate of delivery"):
        assert wanted in certificate_text
    page = tmp_path / "answer.html"
    desk.run("case", "letter", nothing, "--out", str(page))
    assert "확인하거나 부인하는 것이 아닙니다" in page.read_text(encoding="utf-8")
    letter = desk.run("case", "letter", refused["record"], "--document", str(file), "--lang", "ko")
    assert "집행 거절 통지서" in letter
    assert "법적 근거" in letter
    other = tmp_path / "policy.yaml"
    other.write_bytes(mesh.places.policy.read_bytes() + b"\n")
    desk.run("case", "letter", case, "--policy", str(other), status=1)

    out = tmp_path / "register.csv"
    desk.run("case", "register", "--from", "2020-01-01", "--to", "2100-01-01", "--out", str(out))
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"), newline="")))
    assert [row["stage"] for row in rows] == ["acknowledged", "no-data", "refused"]
    assert rows[0]["case"] == case
    assert rows[1]["messages_up_to"] == "0"
    everything = out.read_text(encoding="utf-8-sig")
    for person in chosen.people:
        assert person.account not in everything
        assert person.name not in everything
    totals = desk.json("case", "register", "--from", "2020-01-01", "--to", "2100-01-01", "--summary")
    assert (totals["documents"], totals["delivered"]) == (3, 1)


def test_something_overdue_ends_with_a_status_of_its_own(mesh: LiveMesh) -> None:
    desk = Desk(mesh)
    chosen = mesh.store_sample()
    case = mesh.granted(mesh.document([("account", chosen.subject)], chosen.period))
    age_case(mesh, case)
    answer = desk.json("case", "due", status=EXIT_OVERDUE)
    assert answer["overdue"] == 1
    assert "1 overdue" in desk.run("case", "due", status=EXIT_OVERDUE)
    desk.run("case", "done", case.hex(), "participation", "--ground", "urgent", "--reason", "TEST 급속")
    assert desk.json("case", "due")["overdue"] == 0


def age_case(mesh: LiveMesh, case: bytes) -> None:
    """Let a case look a year old: nobody can wait for a duty to become overdue."""
    path = mesh.places.service("warrants") / "database.sqlite"
    year_ms = 365 * 24 * 3_600_000
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE case_events SET at_ms = at_ms - ? WHERE case_id = ?", (year_ms, case))
