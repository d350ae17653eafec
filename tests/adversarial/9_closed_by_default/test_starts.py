"""Services start with everything they need, or not at all; without governance or log they serve nothing."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from garim.audit.settings import AuditSettings
from garim.cli.cases import submit
from garim.cli.mesh_plan import Places
from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.mesh_settings import toml
from garim.cli.mesh_setup import move_ports, set_up
from garim.cli.meshfolder import SERVICES
from garim.cli.session import session
from garim.custody.settings import CustodySettings
from garim.kit.access import Rule
from garim.kit.identity import parse_spiffe_id
from garim.kit.settings import ServiceSettings, load_settings
from garim.messages.settings import MessagesSettings
from garim.redaction.settings import RedactionSettings
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from garim.warrants.settings import WarrantsSettings
from mesh_support.live import refused
from mesh_support.played import Played

MODELS: dict[str, type[ServiceSettings]] = {
    "audit": AuditSettings,
    "custody": CustodySettings,
    "messages": MessagesSettings,
    "redaction": RedactionSettings,
    "warrants": WarrantsSettings,
}
SECRETS = [
    ("redaction", "tls.key"),
    ("messages", "statement.key"),
    ("warrants", "statement.key"),
    ("audit", "log.key"),
    ("custody", "statement.key"),
    ("custody", "keys"),
]

# The one reason outward of whatever keeps the store from a forecast is its own.
AWAY = ("LOG_UNAVAILABLE", "FORECAST_UNAVAILABLE", "PEER_UNAVAILABLE")


@pytest.fixture(scope="module")
def set_up_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unstarted") / "mesh"
    set_up(root, dt.datetime.now(dt.UTC))
    return root


@pytest.fixture
def places(set_up_once: Path) -> Places:
    return Places(set_up_once)


@pytest.fixture
def copied(places: Places, tmp_path: Path) -> Places:
    shutil.copytree(places.root, tmp_path / "mesh")
    return Places(tmp_path / "mesh")


def written(places: Places, service: str) -> dict[str, Any]:
    return tomllib.loads(places.settings(service).read_text(encoding="utf-8"))


def keys_of(values: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        if name == "peers":
            continue  # whom a service calls: one that is not named cannot be called
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, inner) for inner in value)


def reasons(places: Places, service: str, values: dict[str, Any], path: Path) -> dict[str, str]:
    groups = {name: value for name, value in values.items() if isinstance(value, dict)}
    head = {name: value for name, value in values.items() if name not in groups}
    path.write_bytes(toml({"": head, **groups}))
    try:
        load_settings(path, MODELS[service])
    except RefusedWithReasonsError as refusal:
        return {one.field: one.reason for one in refusal.reasons}
    return {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_key_that_a_mesh_writes_is_needed(places: Places, tmp_path: Path, service: str) -> None:
    assert reasons(places, service, written(places, service), tmp_path / "settings.toml") == {}
    names = list(keys_of(written(places, service)))
    assert len(names) > 8
    for name in names:
        values = written(places, service)
        group = values if len(name) == 1 else values[name[0]]
        del group[name[-1]]
        found = reasons(places, service, values, tmp_path / "settings.toml")
        # A database is named by `path` or by `url`: without either the group as a whole is refused.
        either = {"database": "SETTING_INVALID"}
        assert found == (either if name == ("database", "path") else {".".join(name): "SETTING_MISSING"})


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_key_in_any_group_is_refused(places: Places, tmp_path: Path, service: str) -> None:
    groups = ["", *(name for name, value in written(places, service).items() if isinstance(value, dict))]
    for group in groups:
        if group == "peers":
            continue
        values = written(places, service)
        (values[group] if group else values)["skip_checks"] = True
        field = f"{group}.skip_checks".lstrip(".")
        found = reasons(places, service, values, tmp_path / "settings.toml")
        assert found == {field: "SETTING_UNKNOWN"}


def start(places: Places, service: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"garim.{service}", str(places.settings(service))]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("service", "name"), SECRETS)
def test_a_secret_that_others_may_read_keeps_a_service_from_starting(
    copied: Places, service: str, name: str
) -> None:
    path = copied.service(service) / name
    path.chmod(path.stat().st_mode | 0o040)
    ended = start(copied, service)
    assert ended.returncode != 0
    assert "KEY_FILE_MODE" in ended.stderr
    assert "PRIVATE" not in ended.stderr


@pytest.mark.parametrize(
    ("service", "name"), [("messages", "statement.key"), ("warrants", "ca.pem"), ("audit", "log.key")]
)
def test_a_missing_file_keeps_a_service_from_starting(copied: Places, service: str, name: str) -> None:
    (copied.service(service) / name).unlink()
    ended = start(copied, service)
    assert ended.returncode != 0
    assert "FILE_MISSING" in ended.stderr


def test_a_service_without_governance_serves_nothing(copied: Places) -> None:
    mesh = move_ports(copied.root)
    processes = Processes(copied)
    try:
        for service in ("audit", "messages", "warrants"):
            processes.start(service, tied=True)
        time.sleep(2)
        assert not any(is_serving(mesh.health[one]) for one in ("messages", "warrants"))
        with session(copied.root, "", "clerk") as own, pytest.raises(RefusedError) as caught:
            submit(own, b"{}", [])
        assert caught.value.kind is Kind.UNAVAILABLE
    finally:
        processes.stop()
        for child in processes._children.values():
            child.wait(30)


def test_an_empty_list_of_callers_lets_nobody_in() -> None:
    rule = Rule("/garim.x/Y", (), idempotent=False, deadline_s=1)
    for path in ("service/custody", "person/operator/lee", "person/custodian/lee", "backend/chat"):
        with pytest.raises(RefusedError, match="ACCESS_DENIED"):
            rule.check(parse_spiffe_id(f"spiffe://m/{path}", "m"))


@pytest.mark.timeout(240)
def test_while_the_log_is_away_nothing_is_granted_and_nothing_is_handed_over(
    played: Played, tmp_path: Path
) -> None:
    mesh = played.mesh
    document = played.another()
    waiting, built = mesh.granted(played.another()), mesh.granted(played.another())
    mesh.build(built)
    mesh.kill("audit")
    try:
        with session(mesh.root, "", "clerk") as own, refused(*AWAY):
            submit(own, document, [])
        with refused(*AWAY):
            mesh.build(waiting)
        with refused(*AWAY):
            mesh.fetch(built, tmp_path)
        assert not list(tmp_path.iterdir())
    finally:
        mesh.up()
    assert mesh.granted(document)
