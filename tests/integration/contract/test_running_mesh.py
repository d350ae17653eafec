"""The contract suite on the five real services."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.testing.contract.__main__ import main, now
from garim.testing.contract.calls import SERVICES, Callers
from garim.testing.contract.cases import Own, without_cases
from garim.testing.contract.identities import identities_in
from garim.testing.contract.own import OWN
from garim.testing.contract.running import counted, run
from garim.testing.contract.stories import stories_of
from mesh_support.live import LiveMesh


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMesh]:
    with LiveMesh(tmp_path_factory.mktemp("contract") / "mesh") as started:
        yield started


def _arguments(mesh: LiveMesh, *services: str) -> list[str]:
    found = ["--identities", str(mesh.root)]
    for service in services or SERVICES:
        found += ["--address", f"{service}={mesh.file.addresses[service]}"]
    return found


def test_every_rpc_keeps_the_contract(mesh: LiveMesh, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([*_arguments(mesh), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [one for one in found["cases"] if one["problem"]] == []
    assert found["without_cases"] == []
    assert status == 0
    assert {one["rpc"] for one in found["cases"]} == {
        f"{service.name}.{method.name}" for service in SERVICES.values() for method in service.methods
    }
    assert len(found["cases"]) > 700


def test_a_broken_promise_is_seen(
    mesh: LiveMesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Own("wrong", "NOT_FOUND CASE_UNKNOWN", lambda _facts: {})
    monkeypatch.setitem(OWN, "WarrantsService.ListCases", (wrong,))
    assert main([*_arguments(mesh, "warrants"), "--read-only"]) == 1
    assert "WarrantsService.ListCases wrong as person/clerk: expected NOT_FOUND" in capsys.readouterr().out


def test_an_rpc_without_cases_is_a_failure(
    mesh: LiveMesh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(OWN, "AuditLogService.ListEntries")
    assert without_cases() == ["AuditLogService.ListEntries"]
    assert main(_arguments(mesh, "redaction")) == 1
    assert "FAILED AuditLogService.ListEntries" in capsys.readouterr().out


def test_read_only_stores_nothing(mesh: LiveMesh) -> None:
    probes = "select count(*) from log_leaves where instr(leaf, cast('contract-probe' as blob))"
    before = mesh.query("audit", probes)
    with Callers({"audit": mesh.file.addresses["audit"]}, identities_in(mesh.root)) as callers:
        results = list(run(callers, now(), read_only=True))
    assert mesh.query("audit", probes) == before
    assert sum(one.skipped for one in results) == len(stories_of("audit")) + 1
    assert not any(failed for _, failed, _ in counted(results).values())


def test_a_missing_identity_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--address", "audit=127.0.0.1:1", "--identities", str(tmp_path)]) == 2
    assert "service/messages" in capsys.readouterr().err


def test_the_plugin_makes_a_test_of_each_case(mesh: LiveMesh, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "garim.testing.contract.plugin"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    command += ["--pyargs", "garim.testing.contract.suite", "--contract-identities", str(mesh.root)]
    command += ["--contract-address", f"redaction={mesh.file.addresses['redaction']}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "81 passed" in done.stdout
