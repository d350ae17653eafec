"""The sample room in a running mesh: stored, disclosed for one subject, the dossier closed and opened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from garim.cli.demo.chosen import Chosen
from garim.dossier.opening import OpenedDossier
from garim.sdk import GarimStore, Member, Message, Producer, Roster, TlsPaths
from garim.statements.receipts import DossierReceipt
from mesh_support.live import LiveMesh

OTHERS = "room-of-others"
STRANGERS = (
    Member("acct-91001", names=["유가람"], phones=["+821000006601"], emails=["garam@example.kr"]),
    Member("acct-91002", names=["남다온"], phones=["+821000006602"], emails=[]),
)


@dataclass(frozen=True, slots=True)
class Played:
    """What there is to attack.

    Attributes:
        mesh: The running mesh.
        chosen: The sample room.
        document: The signed warrant.
        case: Its case.
        dossier: Id of its closed dossier.
        receipt: Its receipt.
        opened: The package, opened.
        folder: Where it was delivered.
    """

    mesh: LiveMesh
    chosen: Chosen
    document: bytes
    case: bytes
    dossier: bytes
    receipt: DossierReceipt
    opened: OpenedDossier
    folder: Path

    def another(self, account: str = "") -> bytes:
        """Return another signed warrant, for the subject or for another account."""
        return self.mesh.document([("account", account or self.chosen.subject)], self.chosen.period)


def store_others(mesh: LiveMesh, at_ms: int, texts: list[str]) -> None:
    """Store a conversation of two people who are in no other."""
    folder = mesh.folder_of("backend/chat")
    tls = TlsPaths(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")
    room = Roster(OTHERS, list(STRANGERS))
    with (
        GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls) as store,
        Producer(store) as producer,
    ):
        for number, text in enumerate(texts):
            producer.put(room, Message(at_ms + number, STRANGERS[number % 2].account, text))
        producer.flush()


def play(mesh: LiveMesh, folder: Path) -> Played:
    """Store the sample room and another conversation, disclose for the room's busiest member."""
    chosen = mesh.store_sample()
    store_others(mesh, chosen.span[0] + 1, ["TEST 둘만의 이야기", "TEST 아무도 모르게"])
    time.sleep(1.1)  # a document's time of issue has seconds; nothing may be received after it
    document = mesh.document([("account", chosen.subject)], chosen.period)
    case = mesh.granted(document)
    dossier = mesh.build(case)
    receipt, opened = mesh.fetch(case, folder)
    return Played(mesh, chosen, document, case, dossier, receipt, opened, folder)
