from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli_support.world import World
from garim.audit.settings import AuditSettings
from garim.cli import mesh_plan
from garim.cli.mesh_plan import Places
from garim.cli.mesh_processes import Processes
from garim.cli.mesh_settings import toml
from garim.cli.mesh_setup import is_unfinished, set_up
from garim.cli.meshfolder import SERVICES, MeshFolder
from garim.custody.settings import CustodySettings
from garim.kit.settings import ServiceSettings, load_settings
from garim.messages.settings import MessagesSettings
from garim.redaction.settings import RedactionSettings
from garim.statements.refusal import RefusedError
from garim.warrants.settings import WarrantsSettings

MODELS: dict[str, type[ServiceSettings]] = {
    "audit": AuditSettings,
    "custody": CustodySettings,
    "messages": MessagesSettings,
    "warrants": WarrantsSettings,
    "redaction": RedactionSettings,
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_accepts_the_settings_written_for_it(world: World, service: str) -> None:
    settings = load_settings(world.places.settings(service), MODELS[service])
    assert settings.governance_genesis == world.genesis
    assert set(settings.peers) == set(SERVICES) - {service}
    assert settings.listen.startswith("127.0.0.1:")


def test_every_private_key_of_a_mesh_is_its_owners_alone(world: World) -> None:
    keys = [path for path in world.root.rglob("*") if path.suffix in {".key", ".agekey"}]
    keys += list(world.root.rglob("passphrase"))
    assert len(keys) > 20
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_what_a_mesh_trusts_says_test(world: World) -> None:
    from cryptography import x509

    for path in world.root.rglob("*.pem"):
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
        assert all("TEST" in one.subject.rfc4514_string() for one in certificates), path.name


def test_custodians_and_reviewers_are_three_each_and_two_of_them_decide(world: World) -> None:
    governance = world.governance
    assert (len(governance.custodians), governance.quorum) == (3, 2)
    assert (len(governance.reviewers), governance.review_quorum) == (3, 2)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    import datetime as dt

    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RefusedError) as refused:
        set_up(tmp_path, dt.datetime.now(dt.UTC))
    assert refused.value.reason == "MESH_FOLDER"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_set_up_that_was_broken_off_is_told_from_a_mesh(world: World, tmp_path: Path) -> None:
    assert not is_unfinished(world.root)
    assert not is_unfinished(tmp_path)
    (tmp_path / "services").mkdir()
    assert is_unfinished(tmp_path)


def test_settings_survive_hangul_quotes_and_backslashes() -> None:
    values = {"": {"a": '가"\\'}, "b": {"c": 1, "d": True, "e": ["x"]}}
    assert tomllib.loads(toml(values).decode()) == {"a": '가"\\', "b": {"c": 1, "d": True, "e": ["x"]}}


@pytest.fixture
def stranger() -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield child  # type: ignore[misc]
    child.kill()
    child.wait()
    assert child.stdin is not None
    child.stdin.close()


def started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_a_reused_process_id_is_not_taken_for_a_service(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.run.mkdir()
    settings = str(places.settings("custody").absolute())
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "garim.custody", settings]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as alike:
        path = places.run / "custody.pid"
        path.write_text(f"{alike.pid} {started(alike.pid)}")
        assert Processes(places).running("custody") is not None
        path.write_text(f"{alike.pid} {int(started(alike.pid)) - 1}")
        assert Processes(places).running("custody") is None
        alike.kill()


def test_down_ends_no_process_that_is_not_ours(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    places = Places(tmp_path)
    places.run.mkdir()
    for text in (f"{stranger.pid} {started(stranger.pid)}", f"{stranger.pid} 1", "1 1", "rubbish", ""):
        (places.run / "custody.pid").write_text(text)
        processes = Processes(places)
        assert processes.running("custody") is None
        assert processes.stop() == []
    assert stranger.poll() is None
    os.kill(stranger.pid, 0)


def test_one_person_of_a_role_needs_no_name_and_three_do(mesh: Path) -> None:
    folder = MeshFolder(mesh)
    assert folder.person("", "clerk").name == "eun-ha"
    assert folder.person("ga-on", "custodian").spiffe_id == "spiffe://demo.example/person/custodian/ga-on"
    assert folder.person("", "backend").spiffe_id == f"spiffe://demo.example/backend/{mesh_plan.BACKEND}"
    with pytest.raises(RefusedError) as refused:
        folder.person("", "custodian")
    assert refused.value.reason == "PERSON_AMBIGUOUS"


@pytest.mark.parametrize("who", ["../ga-on", "custodian/", "custodian/Ga-on", "custodian/ga-on/x", "a b"])
def test_a_name_is_a_name_and_no_path(mesh: Path, who: str) -> None:
    with pytest.raises(RefusedError):
        MeshFolder(mesh).person(who, "custodian")
