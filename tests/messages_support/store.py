"""A store in this process, with a clock that stands still until the test moves it."""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import garim.messages
from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger, tables
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry
from garim.messages.reader import Item, Pass, SegmentItem
from garim.messages.scope_rows import SecretRow
from garim.messages.service import MessageStore
from garim.messages.settings import MessagesSettings
from garim.messages.writer import Stored
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements import dsse
from garim.statements.governance import Governance, ServiceKey, Terms
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.testing.governance import DAY_MS, SampleGovernance, key_text
from kit_support.engines import open_database
from messages_support.custody import FakeCustody

MESH = "test.mesh"
STORE = "messages-1"
ORIGIN = "log.test.mesh/garim"
NOW_MS = 1_790_000_000_000 - 1_790_000_000_000 % DAY_MS + 9 * 3_600_000
PRODUCER = f"spiffe://{MESH}/backend/chat-1"
MIGRATIONS = Path(garim.messages.__file__).parent / "migrations"


@dataclasses.dataclass
class StoreGovernance(SampleGovernance):
    """A governance that pins a store and custody."""

    store_key: Ed25519PrivateKey = dataclasses.field(default_factory=Ed25519PrivateKey.generate)
    custody_key: Ed25519PrivateKey = dataclasses.field(default_factory=Ed25519PrivateKey.generate)
    epoch_ms: int = DAY_MS
    retention_ms: int = 3 * DAY_MS

    def draft(self, **named: object) -> bytes:
        document = Governance.from_bytes(super().draft(**named))  # type: ignore[arg-type] # passed on
        services = (
            ServiceKey(service="messages", instance=STORE, key=key_text(self.store_key)),
            ServiceKey(service="custody", instance="custody", key=key_text(self.custody_key)),
        )
        terms = Terms(epoch=self.epoch_ms, retention=self.retention_ms, max_crl_age=DAY_MS)
        return document.model_copy(update={"services": services, "terms": terms}).to_bytes()


def settings_for(folder: Path, genesis: str, more: str = "", tls: str = "") -> MessagesSettings:
    path = folder / "messages.toml"
    path.write_text(
        f"""
mesh = "{MESH}"
governance_genesis = "{genesis}"
listen = "127.0.0.1:0"
health_listen = "127.0.0.1:0"
store = "{STORE}"
statement_key = "store.key"
{more}
[database]
path = "messages.db"
{
            tls
            or '''[tls]
certificate = "a"
key = "b"
trust = "c"'''
        }
"""
    )
    return load_settings(path, MessagesSettings)


class StoreWorld:
    """A store, its custody and its log.

    Args:
        folder: Where its files lie.
        epoch_ms: Length of an epoch.
        retention_ms: How long it is kept behind its end.
        more: Further settings of the store.
    """

    def __init__(
        self,
        folder: Path,
        *,
        epoch_ms: int = DAY_MS,
        retention_ms: int = 3 * DAY_MS,
        more: str = "",
    ) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW_MS)
        self.custody = FakeCustody(MESH, self.clock, epoch_ms=epoch_ms)
        log_key = Ed25519PrivateKey.generate()
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=log_key)
        self.governance = StoreGovernance(
            MESH,
            log_key,
            ORIGIN,
            NOW_MS,
            custody_key=self.custody.key,
            epoch_ms=epoch_ms,
            retention_ms=retention_ms,
        )
        self.settings = settings_for(folder, self.governance.genesis, more)
        self._others: list[Database] = []
        self.database = self._open()
        self._begin_log()
        self.store = self.start()

    @property
    def path(self) -> Path:
        assert self.settings.database.path is not None
        return self.settings.database.path

    def start(self) -> MessageStore:
        """Start a store on the database as a restarted process would."""
        self.store, self.ledger = self._start(self.database)
        return self.store

    def another(self) -> MessageStore:
        """Start one more process of the store on the same database."""
        self._others.append(self._open())
        store, _ = self._start(self._others[-1])
        return store

    def _start(self, database: Database) -> tuple[MessageStore, Ledger]:
        self.log = io.StringIO()
        telemetry = Telemetry("messages", self.clock, stream=self.log, strict=True)
        ledger = Ledger(
            self.audit.as_caller(service_id(MESH, "messages")),
            governance=self.governance,
            actor=service_id(MESH, "messages"),
            database=database,
            clock=self.clock,
            random_bytes=os.urandom,
        )
        store = MessageStore(
            self.settings,
            database,
            log=ledger,
            ask_epochs=self.custody.ask,
            governance=self.governance.current,
            sign=self.governance.store_key.sign,
            clock=self.clock,
            random_bytes=os.urandom,
            telemetry=telemetry,
        )
        return store, ledger

    def put(self, *rosters: pb.Roster) -> None:
        self.store.put_rosters(rosters)

    def append(self, request: pb.AppendMessagesRequest, producer: str = PRODUCER) -> Stored:
        answer = self.store.append(producer, request)
        assert isinstance(answer, Stored), answer
        return answer

    def items(self, ticket: dsse.Envelope, which: Pass = Pass.SEGMENTS, token: str = "") -> list[Item]:
        return [item for item, _ in self.store.read(ticket, which, token)]

    def messages(self, ticket: dsse.Envelope) -> list[pb.ChatMessage]:
        """Read and open everything a ticket matches, as custody and redaction together could."""
        return self.opened(self.items(ticket))

    def opened(self, items: list[Item]) -> list[pb.ChatMessage]:
        secrets: dict[bytes, SealedWriteSecret] = {}
        found: list[pb.ChatMessage] = []
        for item in items:
            if isinstance(item, SecretRow):
                secrets[item.secret] = SealedWriteSecret(item.record, item.signature, item.sealed)
            elif isinstance(item, SegmentItem):
                named = item.header[21:53]
                found += self.custody.read_segment(secrets[named], item.header, item.ciphertext)
        return found

    def count(self, table: str) -> int:
        with self.database.reading() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608 - a name of our own

    def close(self) -> None:
        for database in (self.database, *self._others):
            database.close()

    def _open(self) -> Database:
        return open_database(self.path, "messages")

    def _begin_log(self) -> None:
        custody = Database(self.folder / "custody.db")
        with custody.writing() as connection:
            tables.create_all(connection)
        Ledger(
            self.audit.as_caller(service_id(MESH, "custody")),
            governance=self.governance,
            actor=service_id(MESH, "custody"),
            database=custody,
            clock=self.clock,
            random_bytes=os.urandom,
        ).begin(self.governance.versions[0].document)
        custody.close()
