"""A running mesh loses its log, and goes on with another by the commands of the operator's guide."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from garim.cli.files import write_private
from garim.cli.main import app
from garim.cli.mesh_settings import toml
from mesh_support.live import LiveMesh, until
from mesh_support.played import Played, play

pytestmark = pytest.mark.timeout(240)

CUSTODIANS = ("ga-on", "na-rae")
ORIGIN = "second.log.test/garim"


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    with LiveMesh(tmp_path / "mesh") as mesh:
        yield play(mesh, tmp_path / "delivered")


def ran(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    return done.exit_code, (json.loads(done.output) if done.exit_code == 0 else done.output)


def garim(mesh: LiveMesh, *words: str) -> Any:
    status, answer = ran(*words, "--mesh", str(mesh.root))
    assert status == 0, answer
    return answer


def pins(mesh: LiveMesh) -> list[str]:
    """Return what every service, and every person's client, has pinned of the log."""
    databases = [
        mesh.places.service(one) / "database.sqlite" for one in mesh.file.addresses if one != "audit"
    ]
    databases += mesh.places.people.glob("*/state.sqlite")
    return sorted({pin for one in databases for pin in ran("audit", "pins", str(one))[1].values()})


def start_other_log(mesh: LiveMesh, key: Ed25519PrivateKey, digest: str) -> None:
    folder = mesh.places.service("audit")
    (folder / "second.key").touch(mode=0o600)
    (folder / "second.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    settings = tomllib.loads(mesh.places.settings("audit").read_text())
    groups = {"": {name: one for name, one in settings.items() if not isinstance(one, dict)}}
    groups |= {name: one for name, one in settings.items() if isinstance(one, dict)}
    groups["log"] = {"origin": ORIGIN, "key": "second.key", "genesis": digest}
    groups["database"] = {"path": "second.sqlite"}
    write_private(mesh.places.settings("audit"), toml(groups), replace=True)
    mesh.kill_and_start("custody")
    mesh._starter.submit(mesh.processes.start, "audit", tied=True).result()


def test_a_mesh_that_lost_its_log_goes_on_with_another(played: Played, tmp_path: Path) -> None:
    mesh = played.mesh
    mesh.kill("audit")
    key = Ed25519PrivateKey.generate()
    public = tmp_path / "second.pem"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    named = [word for pin in pins(mesh) for word in ("--pin", pin)]
    draft = tmp_path / "next.json"
    acting = ("--as", CUSTODIANS[0])
    drawn = garim(
        mesh, "governance", "draft", "--log-origin", ORIGIN, "--log-key", str(public), *named,
        "--out", str(draft), *acting,
    )  # fmt: skip
    start_other_log(mesh, key, drawn["digest"])
    until(lambda: ran("custody", "status", "--mesh", str(mesh.root))[0] == 0)
    proposed = garim(mesh, "governance", "propose", str(draft), *acting)
    assert proposed["digest"] == drawn["digest"]
    for person in CUSTODIANS:
        decided = garim(mesh, "governance", "approve", drawn["digest"], "--as", person)
    assert decided["version"] == 2
    assert garim(mesh, "custody", "status")["freeze_reason"] == "succession"
    until(lambda: ran("audit", "verify", "--mesh", str(mesh.root))[0] == 0)
    until(lambda: thawed(mesh), 120)
    assert garim(mesh, "custody", "status")["freeze_reason"] is None
    types = garim(mesh, "audit", "report")["entries"]
    assert types["genesis"] == 1
    assert types["thaw"] == 1


def thawed(mesh: LiveMesh) -> bool:
    """Have the quorum thaw custody; it waits until the log has seen custody's and warrants' new pins."""
    done = [
        ran("custody", "thaw", "--reason", "TEST", "--as", one, "--mesh", str(mesh.root))
        for one in CUSTODIANS
    ]
    return any(status == 0 and not answer["frozen"] for status, answer in done)
