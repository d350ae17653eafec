"""The store's use cases, and what it does on its own: fetch epochs, end write secrets, close, drop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.telemetry import Telemetry, log_refusal
from garim.messages import ingest_rows
from garim.messages.accounts import Accountant
from garim.messages.capacity import Capacity
from garim.messages.epochs import Epoch, EpochBook, EpochOffer, Shelf
from garim.messages.forecast import Forecaster, Log
from garim.messages.reader import Item, Pass, Read
from garim.messages.retention import Retention
from garim.messages.settings import MessagesSettings
from garim.messages.steady import SteadyClock
from garim.messages.tickets import Tickets
from garim.messages.write_secrets import WriteSecrets
from garim.messages.writer import Before, Stored, Unknown, Writer
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError

WIPE_EVERY_S = 0.25
KEEP_HOUSE_EVERY_S = 1.0
# A batch that was begun inside an epoch is given this long to end before the epoch's key goes.
END_AFTER_MS = 2_000
ASK_EVERY_MS = 10_000
WRITER_BYTES = 8


class MessageStore:
    """The message store.

    Args:
        settings: Its settings.
        database: Its tables.
        log: The transparency log.
        ask_epochs: Asks custody for the current and the next epoch.
        governance: Returns the version in force.
        sign: Signs with the store's key.
        clock: For both times.
        random_bytes: Draws ids.
        telemetry: Where what goes wrong in the background is logged.
    """

    def __init__(
        self,
        settings: MessagesSettings,
        database: Database,
        *,
        log: Log,
        ask_epochs: Callable[[], Sequence[EpochOffer]],
        governance: Callable[[], Governance],
        sign: Callable[[bytes], bytes],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        telemetry: Telemetry,
    ) -> None:
        mesh, store = settings.mesh, settings.store
        self._database = database
        self._governance = governance
        self._clock = clock
        self._telemetry = telemetry
        self.epochs = EpochBook(ask_epochs, self._register, mesh=mesh, clock=clock)
        self.secrets = WriteSecrets(
            mesh=mesh,
            store=store,
            signer=sign,
            keep=self._keep_secret,
            last_record=self._last_record,
            clock=clock,
            life_ms=settings.write_secret_s * 1000,
        )
        self._writer = Writer(
            database,
            self.epochs,
            self.secrets,
            mesh=mesh,
            clock=clock,
            random_bytes=random_bytes,
            capacity=Capacity(
                batches=settings.batches_at_once,
                waiting=settings.batches_at_once,
                max_bytes=settings.bytes_at_once,
            ),
            max_future_ms=settings.max_future_s * 1000,
        )
        self._tickets = Tickets(governance, mesh=mesh, clock=clock)
        self._forecaster = Forecaster(database, log, sign, mesh=mesh, store=store, clock=clock)
        self._accountant = Accountant(database, log, sign, mesh=mesh, store=store, clock=clock)
        self._retention = Retention(database, clock, grace_ms=settings.drop_grace_s * 1000)
        self._steady = SteadyClock(clock, settings.clock_settle_s * 1000)
        self._buckets = settings.buckets
        # Each process has a chain of write secrets of its own.
        self._process = random_bytes(WRITER_BYTES)
        self._asked_ms: int | None = None

    def append(self, producer: str, request: pb.AppendMessagesRequest) -> Stored | Unknown | Before:
        """Store a batch; see `Writer.append`."""
        return self._writer.append(producer, request)

    def put_rosters(self, rosters: Sequence[pb.Roster]) -> list[bytes]:
        """Store rosters; see `Writer.put_rosters`."""
        return self._writer.put_rosters(rosters)

    def forecast(self, ticket: dsse.Envelope) -> dsse.Envelope:
        """Return the signed forecast of a ticket's document; see `Forecaster.forecast`.

        Args:
            ticket: Custody's ticket for a forecast.

        Raises:
            RefusedError: As `Tickets.verify` and `Forecaster.forecast`.
        """
        return self._forecaster.forecast(self._tickets.verify(ticket, "forecast"))

    def read(self, ticket: dsse.Envelope, which: Pass, resume_token: str) -> Iterator[tuple[Item, str]]:
        """Stream what a ticket matches; see `Read`.

        Args:
            ticket: Custody's ticket for reading or preserving.
            which: Which pass.
            resume_token: Where an earlier stream broke off; empty to start.

        Raises:
            RefusedError: As `Tickets.verify` and `Read`.
        """
        verified = self._tickets.verify(ticket, "read", "preserve")
        stream = Read(self._database, verified, which, resume_token)
        if verified.scope.until is not None:
            self._retention.preserve(stream, verified.document, verified.scope.until)
        return stream.items()

    def ready(self) -> None:
        """Return if batches can be stored now; for health.

        Raises:
            RefusedError: `STORE_EPOCH`, and those of the database.
        """
        self._database.check()
        self.epochs.current()

    def keep_house(self) -> None:
        """Do what is due: ask for epochs, close those that ended, drop those past retention.

        Each part that fails is logged and tried again the next time; none keeps the others from being done.
        """
        parts = [self._ask_ahead]
        if self._steady.settled():
            parts += [self._end_epochs, self._close_epochs, self._drop_epochs]
        for part in parts:
            try:
                part()
            except RefusedError as refusal:
                log_refusal(self._telemetry, "housekeeping_waits", refusal)

    def _ask_ahead(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if self.epochs.knows_next() or (
            self._asked_ms is not None and now_ms - self._asked_ms < ASK_EVERY_MS
        ):
            return
        self._asked_ms = now_ms
        self.epochs.refresh()

    def _end_epochs(self) -> None:
        now_ms = self._clock.now_ms()
        for epoch in self.epochs.ended():
            span = epoch.offer.not_after - epoch.offer.not_before
            if len(epoch.offer.index_key) and now_ms >= epoch.offer.not_after + END_AFTER_MS:
                self._accountant.end(epoch.number)
                self.secrets.end_old()
                self.epochs.drop_index_key(epoch)
                self._writer.forget_epoch()
                self._telemetry.info("epoch_ended", epoch=epoch.offer.epoch.hex())
            elif now_ms >= epoch.offer.not_after + span:
                self.epochs.forget(epoch)

    def _close_epochs(self) -> None:
        for epoch in self._accountant.unclosed(self._clock.now_ms() - END_AFTER_MS):
            self._accountant.end(epoch.shelf.number)
            self._accountant.close(epoch)
            self._telemetry.info("epoch_closed", epoch=epoch.epoch.hex())
        self._accountant.log_anew()

    def _drop_epochs(self) -> None:
        for number in self._retention.drop_due(self._governance().terms.retention):
            self._telemetry.info("epoch_dropped", index=number)

    def _register(self, epoch: bytes, not_before: int, not_after: int) -> Shelf | None:
        retention = self._governance().terms.retention
        with self._database.writing() as connection:
            return ingest_rows.register_epoch(
                connection, epoch, (not_before, not_after), retention=retention, buckets=self._buckets
            )

    def _keep_secret(self, epoch: Epoch, kept: SealedWriteSecret) -> None:
        with self._database.writing(shared=True) as connection:
            if not ingest_rows.is_open(connection, epoch.number):
                raise RefusedError(
                    "STORE_EPOCH", "this epoch has ended here: try again", kind=Kind.UNAVAILABLE
                )
            ingest_rows.keep_write_secret(connection, epoch.shelf, self._process, kept)

    def _last_record(self, epoch: Epoch) -> bytes | None:
        with self._database.reading() as connection:
            return ingest_rows.last_record(connection, epoch.shelf, self._process)


class Housekeeping:
    """The two threads of a running store: one ends write secrets on time, the other does all else.

    Args:
        store: The store.
        telemetry: Where unexpected failures are logged.
    """

    def __init__(self, store: MessageStore, telemetry: Telemetry) -> None:
        self._store = store
        self._telemetry = telemetry
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._repeat, args=(store.secrets.end_old, WIPE_EVERY_S), name="wiper", daemon=True
            ),
            threading.Thread(
                target=self._repeat, args=(store.keep_house, KEEP_HOUSE_EVERY_S), name="keeper", daemon=True
            ),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, and overwrite the write secret."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._store.secrets.end()

    def _repeat(self, work: Callable[[], None], every_s: float) -> None:
        while not self._stop.wait(every_s):
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever fails once is tried again
                self._telemetry.error("housekeeping_failed", error=type(error).__name__)
