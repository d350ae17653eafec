"""A custodian leaves: the shares go to a successor, who then opens an identity with those who stayed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from garim.cli import keyfiles, mesh_plan, unmask_flow
from garim.cli.document_files import acknowledger_of, recipient_of
from garim.cli.dossier_commands import open_answers
from garim.cli.dossier_files import RECEIPT
from garim.cli.draft_commands import common
from garim.cli.main import app
from garim.cli.mesh_setup import AGE_IDENTITY
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask
from garim.sealing.secret import Secret
from garim.statements import governance
from garim.statements.governance import Custodian, Governance
from mesh_support.live import LiveMesh, refused
from mesh_support.played import Played, play

pytestmark = pytest.mark.timeout(180)

LEAVING, STAYING, SUCCESSOR = "ga-on", ("da-som", "na-rae"), "so-ra"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with pytest.MonkeyPatch.context() as patch:
        # The throwaway mesh keeps no authority that could certify somebody later.
        patch.setattr(mesh_plan, "OTHERS", (*mesh_plan.OTHERS, ("custodian", SUCCESSOR)))
        root = tmp_path_factory.mktemp("leaving")
        with LiveMesh(root / "mesh") as mesh:
            yield play(mesh, root / "delivered")


def garim(mesh: LiveMesh, *words: str, status: int = 0) -> Any:
    """Run a command and return its JSON."""
    done = CliRunner().invoke(app, [*words, "--mesh", str(mesh.root), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.output)


def keys_of_successor(mesh: LiveMesh) -> Custodian:
    """Make a new custodian's keys in their folder."""
    folder = mesh.folder_of(f"person/custodian/{SUCCESSOR}")
    (folder / "passphrase").write_text("TEST-long-enough\n")
    (folder / "passphrase").chmod(0o600)
    with Secret(bytearray(b"TEST-long-enough")) as passphrase:
        decision = keyfiles.make_decision_key(folder / "decision.key", passphrase, log2_cost=14)
        share = keyfiles.make_share_key(folder / "share.key", passphrase, log2_cost=14)
    public = decision.public_key().public_bytes_raw()
    return Custodian(
        person=SUCCESSOR,
        decision_key=base64.b64encode(public).decode(),
        share_key=base64.b64encode(share).decode(),
    )


def govern(mesh: LiveMesh, custodians: tuple[Custodian, ...], folder: Path) -> None:
    """Put the next governance version in force by its commands."""
    path = folder / "next.json"
    with session(mesh.root, STAYING[0], "custodian") as own:
        current = own.governance_source.current()
    CliRunner().invoke(
        app, ["governance", "show", "--document", "--out", str(folder / "now.json"), "--mesh", str(mesh.root)]
    )
    now = (folder / "now.json").read_bytes()
    changes = {
        "version": current.version + 1,
        "previous": governance.digest(now),
        "custodians": tuple(sorted(custodians, key=lambda one: one.person)),
    }
    path.write_bytes(Governance.from_bytes(now).model_copy(update=changes).to_bytes())
    digest = garim(mesh, "governance", "propose", str(path), "--as", STAYING[0])["digest"]
    for name in STAYING:
        done = garim(mesh, "governance", "approve", digest, "--as", name)
    assert done["version"] == current.version + 1
    (folder / "now.json").unlink()


def ask(played: Played, pseudonym: str, ground: str) -> bytes:
    """File a second request; returns its id."""
    places = played.mesh.places
    court, authority = (places.agency / "names.txt").read_text(encoding="utf-8").splitlines()
    payload, sealed = draft_unmask(
        played.opened,
        played.receipt,
        {pseudonym: [ground]},
        common(mesh_plan.AUDIENCE, authority, court, "TEST-2026-압수-9", played.receipt.case_number),
        recipient=recipient_of(str(places.agency / "recipient.txt")),
        acknowledger=acknowledger_of(places.agency / "clerk.pem"),
    )
    done = played.mesh.submit(played.mesh.sign(payload), [data for _, data in sealed])
    assert done.unmask_request, done
    return done.unmask_request


def test_a_successor_takes_over_and_opens_an_identity(played: Played, tmp_path: Path) -> None:
    mesh = played.mesh
    with session(mesh.root, STAYING[0], "custodian") as own:
        before = own.governance().custodians
    govern(mesh, (*before, keys_of_successor(mesh)), tmp_path)
    held = garim(mesh, "custody", "shares", "list", "--as", LEAVING)
    assert [(one["dossier"], one["custodian"], one["shares"]) for one in held["held"]] == [
        (played.dossier.hex(), LEAVING, 2)
    ]
    offered = garim(mesh, "custody", "shares", "transfer", "--to", SUCCESSOR, "--as", LEAVING)["dossiers"]
    assert [one["result"] for one in offered] == ["offered"]
    waiting = garim(mesh, "custody", "shares", "list", "--as", SUCCESSOR)
    assert (waiting["held"], waiting["offered"][0]["by"]) == ([], LEAVING)
    taken = garim(mesh, "custody", "shares", "accept", "--as", SUCCESSOR)["dossiers"]
    assert [(one["result"], one["other"]) for one in taken] == [("accepted", LEAVING)]
    assert garim(mesh, "custody", "shares", "list", "--as", LEAVING) == {"held": [], "offered": []}
    again = garim(mesh, "custody", "shares", "transfer", "--to", STAYING[0], "--as", SUCCESSOR)["dossiers"]
    assert [one["result"] for one in again] == ["held"]
    with session(mesh.root, STAYING[0], "custodian") as own:
        after = own.governance().custodians
    govern(mesh, tuple(one for one in after if one.person != LEAVING), tmp_path)

    line = next(one for one in played.opened.messages() if one.sender.pseudonym)
    wanted = str(line.sender.pseudonym)
    request = ask(played, wanted, line.number)
    with session(mesh.root, LEAVING, "custodian") as own, refused("DECISION_PERSON", "SHARES_MISSING"):
        unmask_flow.approve(own, request, mesh.places.crls, "TEST", None)
    for name in (SUCCESSOR, STAYING[1]):
        garim(mesh, "unmask", "approve", request.hex(), "--as", name)
    answer = tmp_path / "answer.age"
    garim(mesh, "unmask", "collect", request.hex(), "--out", str(answer))
    opened = open_answers(
        played.folder / "opened",
        answer,
        mesh.places.agency / AGE_IDENTITY,
        played.folder / RECEIPT,
        mesh.file.genesis,
    )
    assert set(opened) == {wanted}
    assert (mesh.logged("share-transfer"), mesh.logged("share-acceptance")) == (1, 1)
