"""`garim doctor` on a service's machine: a sound machine has no finding, each planted fault has its own."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from garim.cli.doctor.findings import Finding, Findings, healthy
from garim.cli.doctor.machine import examine, free_space
from garim.cli.doctor.mesh import Answer, look_at, look_same
from garim.cli.main import app
from garim.cli.mesh_plan import MESH_NAME, Places
from garim.cli.mesh_settings import write_settings
from garim.cli.mesh_setup import set_up
from garim.cli.meshfolder import SERVICES, MeshFolder
from garim.kit.clock import SystemClock
from garim.kit.db import Database
from garim.kit.governance import Version
from garim.kit.governance_table import GovernanceTable
from garim.kit.health import GOVERNANCE_KEY, TIME_KEY, VERSION_KEY
from garim.kit.identity import dns_name
from garim.kit.migrations import upgrade
from garim.kit.providers.file import FileKeyProvider
from garim.statements import dsse
from garim.testing import pki
from garim.testing.clock import ManualClock

GOVERNED = ("custody", "messages", "warrants", "redaction")
DAY_MS = 24 * 3_600_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh's folder as its services leave it after their first start."""
    root = tmp_path_factory.mktemp("doctor") / "mesh"
    set_up(root, dt.datetime.now(dt.UTC))
    places = Places(root)
    document = (places.governance / "version-1.json").read_bytes()
    decisions = json.loads((places.governance / "decisions-1.json").read_bytes())
    version = Version(document, tuple(dsse.from_json(one) for one in decisions), None)
    for service in SERVICES:
        database = Database(places.service(service) / "database.sqlite")
        upgrade(database, Path(str(resources.files(f"garim.{service}"))) / "migrations")
        if service in GOVERNED:
            GovernanceTable(database).append(1, version)
        database.close()
    FileKeyProvider(places.service("custody") / "keys", MESH_NAME)
    return root


@pytest.fixture
def places(sound: Path, tmp_path: Path) -> Places:
    """A copy of it to break."""
    shutil.copytree(sound, tmp_path / "mesh")
    copied = Places(tmp_path / "mesh")
    for service in SERVICES:
        write_settings(service, MeshFolder(copied.root).read(), copied)
    return copied


def look(places: Places, service: str, later_ms: int = 0) -> list[Finding]:
    return examine(places.settings(service), ManualClock(SystemClock().now_ms() + later_ms))


def wrong(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.check, one.level) for one in found if one.level != "ok"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_sound_machine_has_nothing_wrong(places: Places, service: str) -> None:
    found = examine(places.settings(service), SystemClock(), lambda _folder: (50, 100))
    assert not wrong(found)
    assert {one.about for one in found} == {service}
    assert {"settings", "certificate", "database", "disk"} <= {one.check for one in found}


def new_identity(places: Places, service: str) -> None:
    made = pki.make_mesh(MESH_NAME, dt.datetime.now(dt.UTC))
    folder = places.service(service)
    trust = (folder / "ca.pem").read_bytes()
    pki.write_identity(
        folder, "tls", made.issue(f"service/{service}", dns=(dns_name(MESH_NAME, service),)), made.ca
    )
    (folder / "ca.pem").write_bytes(trust)


def new_key(places: Places, service: str) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (places.service(service) / "statement.key").write_bytes(pem)


def sql(statement: str) -> Callable[[Places, str], None]:
    def plant(places: Places, service: str) -> None:
        connection = sqlite3.connect(places.service(service) / "database.sqlite")
        connection.execute(statement)
        connection.commit()
        connection.close()

    return plant


def write(name: str, text: str) -> Callable[[Places, str], None]:
    return lambda places, service: (places.service(service) / name).write_text(text) and None


def mode(name: str, wanted: int) -> Callable[[Places, str], None]:
    return lambda places, service: (places.service(service) / name).chmod(wanted)


def add_setting(line: str) -> Callable[[Places, str], None]:
    def plant(places: Places, service: str) -> None:
        path = places.settings(service)
        path.write_text(f"{line}\n{path.read_text()}")

    return plant


def wrong_passphrase(places: Places, service: str) -> None:
    path = places.settings(service)
    path.write_text(path.read_text().replace("[keys]", '[keys]\npassphrase_file = "passphrase"'))
    (places.service(service) / "passphrase").write_text("TEST-words")
    (places.service(service) / "passphrase").chmod(0o600)


LOGGED_AHEAD = (
    "INSERT INTO ledger_intents (kind, key, attempt, body, salt, commitment, magnitudes, time_ms, deferred,"
    " superseded, proof, logged_ms) VALUES ('x', 'y', 1, '', '', 'c', '{}', 1, 0, 0, '', 9000000000000)"
)
FAULTS = {
    "no TOML": ("audit", write("settings.toml", "]["), "settings"),
    "an unknown setting": ("redaction", add_setting("retries = 3"), "settings"),
    "a key others may read": ("messages", mode("tls.key", 0o644), "certificate"),
    "a foreign authority": ("messages", new_identity, "certificate"),
    "a database others may read": ("warrants", mode("database.sqlite", 0o644), "database"),
    "tables of the future": ("audit", sql("UPDATE alembic_version SET version_num = '9999'"), "database"),
    "a clock that is behind": ("custody", sql(LOGGED_AHEAD), "clock"),
    "a statement key that nobody pins": ("custody", new_key, "statement key"),
    "another log key file": ("audit", write("log.key", "none"), "log key"),
    "a passphrase that is not used": ("custody", wrong_passphrase, "key provider"),
    "another policy": ("custody", lambda places, _: places.policy.write_text("x") and None, "policy"),
    "no revocation lists": ("warrants", lambda places, _: shutil.rmtree(places.crls), "revocation lists"),
    "an open spool": ("redaction", mode("spool", 0o755), "spool"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_with_what_to_do(places: Places, name: str) -> None:
    service, plant, check = FAULTS[name]
    plant(places, service)
    found = look(places, service)
    assert (check, "fault") in wrong(found), found
    assert {one.check for one in found if one.level == "fault"} == {check}
    assert all(one.do for one in found if one.level != "ok")


def test_what_time_brings_is_announced_before_it_is_a_fault(places: Places) -> None:
    assert ("certificate", "warning") in wrong(look(places, "messages", 300 * DAY_MS))
    assert ("certificate", "fault") in wrong(look(places, "messages", 400 * DAY_MS))
    assert ("revocation lists", "warning") in wrong(look(places, "custody", 29 * DAY_MS))
    assert ("revocation lists", "fault") in wrong(look(places, "custody", 31 * DAY_MS))


@pytest.mark.parametrize(("free", "level"), [(9, "warning"), (1, "fault")])
def test_a_disk_that_fills_is_found(places: Places, free: int, level: str) -> None:
    found = examine(places.settings("custody"), SystemClock(), lambda _folder: (free, 100))
    assert wrong(found) == {("disk", level)}


def test_a_look_changes_nothing(places: Places) -> None:
    for service in SERVICES:
        (places.service(service) / "database.sqlite").unlink()
        assert ("database", "warning") in wrong(look(places, service))
        assert not (places.service(service) / "database.sqlite").exists()
    assert free_space(places.root)[0] > 0


def test_the_command_says_it_in_words_in_json_and_by_its_status(places: Places) -> None:
    (places.service("redaction") / "spool").chmod(0o755)
    told = CliRunner().invoke(app, ["doctor", str(places.settings("redaction"))])
    assert told.exit_code == 1
    assert "chmod 700" in told.stdout
    told = CliRunner().invoke(app, ["doctor", "--json", str(places.settings("redaction"))])
    assert told.exit_code == 1
    assert [one["check"] for one in json.loads(told.stdout)["findings"] if one["level"] == "fault"] == [
        "spool"
    ]
    (places.service("redaction") / "spool").chmod(0o700)
    assert CliRunner().invoke(app, ["doctor", str(places.settings("redaction"))]).exit_code == 0


def answer(**facts: str) -> Answer:
    told = {VERSION_KEY: "1", TIME_KEY: "1000", GOVERNANCE_KEY: "1"} | facts
    return Answer(serving=True, facts=told, asked_ms=1_000)


@pytest.mark.parametrize(
    ("given", "check", "level"),
    [
        (Answer(serving=None, facts={}, asked_ms=0), "health", "fault"),
        (Answer(serving=False, facts={TIME_KEY: "0"}, asked_ms=0), "health", "fault"),
        (Answer(serving=True, facts={}, asked_ms=0), "clock", "warning"),
        (Answer(serving=True, facts={TIME_KEY: "60000"}, asked_ms=0), "clock", "warning"),
        (Answer(serving=True, facts={TIME_KEY: "180000"}, asked_ms=0), "clock", "fault"),
    ],
)
def test_what_a_health_port_answers_is_judged(given: Answer, check: str, level: str) -> None:
    assert wrong(look_at("custody", given)) == {(check, level)}
    assert not wrong(look_at("custody", answer()))


def test_versions_that_differ_between_services_are_found() -> None:
    found = Findings("mesh")
    look_same(found, "versions", VERSION_KEY, {"audit": answer(), "custody": answer()}, "wait")
    assert not wrong(found.found)
    other = answer(**{VERSION_KEY: "2"})
    look_same(found, "versions", VERSION_KEY, {"audit": answer(), "custody": other}, "wait")
    assert wrong(found.found) == {("versions", "warning")}
    assert healthy(found.found)
