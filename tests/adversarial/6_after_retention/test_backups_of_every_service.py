"""Every service's database restored from before the destruction: the rows are back, and nothing opens."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from custody_support.vault import MESH, STORE, CustodyOperator, Request, Vault
from garim.api.messages.v1 import messages_pb2 as pb
from garim.custody.kinds import EPOCH
from garim.custody.tables.dossiers import Dossier
from garim.documents.policy import DAY_MS
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger
from garim.kit.providers import KeyHandle
from garim.kit.providers.file import FileKeyProvider
from garim.kit.telemetry import Telemetry
from garim.messages.epochs import EpochOffer
from garim.messages.reader import Item, Pass, RosterItem, SecretRow, SegmentItem
from garim.messages.service import MessageStore
from garim.sealing.secret import Secret
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from garim.statements.dsse import Envelope
from garim.statements.refusal import RefusedError
from garim.testing.pki import DocumentPki
from garim.testing.records import Stored
from kit_support.engines import copy_database, open_database
from messages_support import people
from messages_support.store import settings_for

ROOM = pb.Roster(
    conversation_id="방-1", members=[pb.Member(account="subject-1"), pb.Member(account="bystander-1")]
)
PRODUCER = f"spiffe://{MESH}/backend/chat-1"


class Mesh:
    """A custody with a file provider and a message store, under one clock and one log."""

    def __init__(self, folder: Path, pki: DocumentPki) -> None:
        self.folder = folder
        self.vault = Vault(folder, CustodyOperator(pki), FileKeyProvider(folder / "keys", MESH))
        settings = settings_for(folder, self.vault.operator.governance.genesis)
        self.settings = settings.model_copy(update={"store": STORE})
        self.store = self.start_store()

    def start_store(self) -> MessageStore:
        """Start the store on its database."""
        operator, clock = self.vault.operator, self.vault.clock
        self.database = open_database(self.folder / "messages.db", "messages")
        actor = service_id(MESH, "messages")
        ledger = Ledger(
            operator.audit.as_caller(actor),
            governance=operator.governance,
            actor=actor,
            database=self.database,
            clock=clock,
            random_bytes=os.urandom,
        )
        self.store = MessageStore(
            self.settings,
            self.database,
            log=ledger,
            ask_epochs=self._epochs,
            governance=operator.governance.current,
            sign=operator.keys["messages", STORE].sign,
            clock=clock,
            random_bytes=os.urandom,
            telemetry=Telemetry("messages", clock, stream=io.StringIO(), strict=True),
        )
        return self.store

    def _epochs(self) -> Sequence[EpochOffer]:
        offers = []
        for epoch in self.vault.epochs.current_and_next():
            with self.vault.epochs.open_index(epoch) as index:
                offers.append(
                    EpochOffer(
                        bytes.fromhex(epoch.id),
                        epoch.not_before_ms,
                        epoch.not_after_ms,
                        epoch.public_key,
                        Secret(bytearray(index.buffer)),
                    )
                )
        return offers

    def read(self, ticket: Envelope) -> list[Stored]:
        """Return what a ticket matches, with all that its release needs."""
        rosters: list[bytes] = []
        secrets: dict[bytes, SealedWriteSecret] = {}
        items: list[Item] = []
        for which in (Pass.ROSTERS, Pass.SEGMENTS):
            items += [item for item, _ in self.store.read(ticket, which, "")]
        for item in items:
            if isinstance(item, SecretRow):
                secrets[item.secret] = SealedWriteSecret(item.record, item.signature, item.sealed)
            elif isinstance(item, RosterItem):
                rosters.append(item.record)
        return [
            Stored(secrets[one.header[21:53]], rosters[0], one.header, one.ciphertext, b"")
            for one in items
            if isinstance(one, SegmentItem)
        ]

    def pass_days(self, days: int) -> None:
        """Let time pass; both keep house."""
        for _ in range(days):
            self.vault.clock.advance(DAY_MS)
            self.vault.keeper.tick()
            self.store.keep_house()
            self.vault.clock.advance(700_000)
            self.store.keep_house()

    def backup(self) -> None:
        """Copy the database of each service that has rows."""
        for name in ("custody", "messages", "warrants"):
            copy_database(self.folder / f"{name}.db", self.folder / f"{name}.backup")

    def restore(self) -> None:
        """Put the copies in their places and start on them."""
        self.vault.close()
        self.database.close()
        for name in ("custody", "messages", "warrants"):
            copy_database(self.folder / f"{name}.backup", self.folder / f"{name}.db")
        self.vault.open()
        self.start_store()

    def count(self, table: str) -> int:
        with self.database.reading() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - a name of our own

    def close(self) -> None:
        self.vault.close()
        self.database.close()


@pytest.fixture
def mesh(tmp_path: Path, pki: DocumentPki) -> Iterator[Mesh]:
    made = Mesh(tmp_path, pki)
    yield made
    made.close()


@pytest.fixture
def asked(mesh: Mesh) -> tuple[Request, Dossier, list[Stored]]:
    """A message in the store, a dossier under way for it, and copies of all databases."""
    mesh.store.put_rosters([ROOM])
    now = mesh.vault.clock.now_ms()
    said = pb.ChatMessage(sent_at_ms=now, sender="bystander-1", kind=pb.MESSAGE_KIND_TEXT, text="산책 갈래?")
    mesh.store.append(PRODUCER, people.batch(people.part(ROOM, [said])))
    mesh.vault.until_request()
    with mesh.database.reading() as connection:
        tags = connection.exec_driver_sql("SELECT tag FROM rosters").scalars().all()
    request = mesh.vault.request(forecast={"conversation_tags": tuple(tag.hex() for tag in tags)})
    dossier = mesh.vault.create(request)
    stored = mesh.read(mesh.vault.tickets.read(request.received, request.grant))
    assert len(stored) == 1
    assert len(mesh.vault.release(dossier, *stored)) == 2
    mesh.backup()
    return request, dossier, stored


def test_all_databases_restored_from_before_the_destruction_open_nothing(
    mesh: Mesh, asked: tuple[Request, Dossier, list[Stored]]
) -> None:
    request, dossier, stored = asked
    mesh.pass_days(5)
    assert mesh.count("parts") == 0
    assert mesh.vault.logged("epoch-closed") >= 1
    mesh.restore()
    assert mesh.count("parts") == 1, "the ciphertext is there again"
    ticket = mesh.vault.tickets.read(request.received, request.grant)
    assert mesh.read(ticket) == [], "custody has no tags of that epoch any more"
    with pytest.raises(RefusedError, match="KEY_"):
        mesh.vault.release(dossier, *stored)


def test_nor_do_they_with_the_clock_put_back(
    mesh: Mesh, asked: tuple[Request, Dossier, list[Stored]]
) -> None:
    _, dossier, stored = asked
    before = mesh.vault.clock.now_ms()
    mesh.pass_days(5)
    mesh.restore()
    mesh.vault.clock.jump_wall(before - mesh.vault.clock.now_ms())
    with pytest.raises(RefusedError):
        mesh.vault.release(dossier, *stored)
    epoch = WriteSecretRecord.decode(stored[0].write_secret.record).epoch.hex()
    assert not mesh.vault.provider.exists(KeyHandle(EPOCH, epoch))
