from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from garim.cli.mesh_plan import Places, free_ports, is_free, new_addresses
from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.mesh_setup import move_ports, set_up
from garim.cli.meshfolder import SERVICES
from garim.statements.refusal import RefusedError


def test_moved_ports_stand_in_every_settings_file(tmp_path: Path) -> None:
    before = set_up(tmp_path / "mesh", dt.datetime.now(dt.UTC))
    after = move_ports(tmp_path / "mesh")
    assert after.genesis == before.genesis
    for service in SERVICES:
        values = tomllib.loads(Places(tmp_path / "mesh").settings(service).read_text())
        assert values["listen"] == after.addresses[service]
        assert values["peers"] == {name: after.addresses[name] for name in SERVICES if name != service}


def test_ports_are_free_and_different() -> None:
    ports = free_ports(10)
    assert len(set(ports)) == 10
    addresses, health = new_addresses()
    assert len({*addresses.values(), *health.values()}) == 2 * len(SERVICES)
    assert all(is_free(one) for one in addresses.values())


def test_a_service_that_ends_at_once_is_reported_with_what_it_said(tmp_path: Path) -> None:
    root = tmp_path / "mesh"
    mesh = set_up(root, dt.datetime.now(dt.UTC))
    Places(root).settings("audit").write_text("nonsense = true\n")
    processes = Processes(Places(root))
    processes.start("audit")
    child = processes._children["audit"]
    child.wait(timeout=30)
    with pytest.raises(RefusedError) as refused:
        processes.await_ready(mesh, lambda _service: None)
    assert refused.value.reason == "SERVICE_NOT_STARTED"
    assert "SETTING" in refused.value.message


def test_nothing_listens_where_nobody_serves() -> None:
    assert not is_serving(f"127.0.0.1:{free_ports(1)[0]}")
