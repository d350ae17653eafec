"""The keeper destroys what is due: epochs, dossiers, requests, orders. A freeze never stops it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.kinds import DOSSIER, EPOCH, ORDER, REQUEST, Mortal
from garim.custody.tables import dossiers, epochs, objects, orders, transfers, unmask
from garim.custody.tables.objects import KeyObject
from garim.kit.providers import KeyHandle
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements import dsse, strict_json
from garim.statements.receipts import DestructionCertificate
from garim.statements.refusal import Kind, RefusedError

SILENCE_MS = 24 * 3_600_000
"""How long, on the monotonic clock, a silent log holds a destruction back."""

INTERVAL_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Remains:
    """What custody's tables hold of a kind of object.

    Attributes:
        wrapped: Returns something that the object wrapped and which of its values it is, if it is there.
        drop: Drops all that the object had wrapped.
    """

    wrapped: Callable[[Connection, str], tuple[bytes, str] | None]
    drop: Callable[[Connection, str], None]


def _of_epoch(connection: Connection, epoch_id: str) -> tuple[bytes, str] | None:
    epoch = epochs.find(connection, epoch_id)
    return None if epoch is None or epoch.wrapped_index is None else (epoch.wrapped_index, "index")


def _of_dossier(connection: Connection, dossier_id: str) -> tuple[bytes, str] | None:
    dossier = dossiers.find(connection, dossier_id)
    return None if dossier is None or not dossier.wrapped_private else (dossier.wrapped_private, "private")


def _of_order(connection: Connection, order_id: str) -> tuple[bytes, str] | None:
    order = orders.find(connection, order_id)
    return None if order is None or not order.wrapped_key else (order.wrapped_key, "key")


def _of_request(connection: Connection, request_id: str) -> tuple[bytes, str] | None:
    request = unmask.find(connection, request_id)
    return None if request is None or not request.wrapped_private else (request.wrapped_private, "private")


REMAINS: Mapping[Mortal, Remains] = {
    EPOCH: Remains(_of_epoch, epochs.drop_keys),
    DOSSIER: Remains(_of_dossier, dossiers.drop_key),
    ORDER: Remains(_of_order, orders.drop),
    REQUEST: Remains(_of_request, unmask.end_without_key),
}
"""All kinds of objects that end."""


class Keeper:
    """Destroys what is due, each time `tick` is called.

    Args:
        core: Custody's means.
        telemetry: Where failures are logged.
        remains: What the tables hold of each kind.
    """

    def __init__(self, core: Core, telemetry: Telemetry, remains: Mapping[Mortal, Remains] = REMAINS) -> None:
        self._core = core
        self._telemetry = telemetry
        self._remains = remains
        self._ticked_ms: int | None = None
        self._waiting: set[tuple[str, str]] = set()

    def tick(self) -> None:
        """Destroy what is due now; what fails is tried again next time."""
        monotonic_ms = self._core.clock.monotonic_ms()
        passed_ms = 0 if self._ticked_ms is None else monotonic_ms - self._ticked_ms
        self._ticked_ms = monotonic_ms
        self._shorten_epochs()
        with self._core.database.writing() as connection:
            transfers.end_expired(connection, self._core.clock.now_ms())
        with self._core.database.reading() as connection:
            due = objects.due(connection, self._core.clock.now_ms())
        waited, self._waiting = self._waiting, set()
        for one in due:
            # Only the time counts in which the log was known to be silent about this very object.
            silent_ms = passed_ms if (one.kind, one.id) in waited else 0
            try:
                self._end(one, silent_ms)
            except RefusedError as error:
                log_refusal(self._telemetry, "destruction_waits", error)
            except Exception as error:  # noqa: BLE001 - one object's failing storage must not save the others
                self._telemetry.error("destruction_failed", error=type(error).__name__, kind=one.kind)

    def _shorten_epochs(self) -> None:
        """Let epochs end sooner where governance has shortened the retention; it never lengthens a life."""
        retention_ms = self._core.governance.current().terms.retention
        with self._core.database.writing() as connection:
            for epoch in epochs.with_keys(connection):
                objects.end(connection, EPOCH, epoch.id, epoch.released_until(retention_ms), "retention")

    def _end(self, one: KeyObject, passed_ms: int) -> None:
        if one.state == "alive" and not self._intended(one, passed_ms):
            return
        self._destroy(one)

    def _intended(self, one: KeyObject, passed_ms: int) -> bool:
        """Log the intent; tell whether the destruction may go on."""
        body = strict_json.dump({"cause": one.cause, "kind": one.kind, "object": one.id})
        key = f"{one.kind}/{one.id}"
        try:
            entry = self._core.journal.append("destruction-intended", body, key=key)
        except RefusedError as error:
            if error.reason == "LOG_TIME":
                raise
            self._waiting.add((one.kind, one.id))
            with self._core.database.writing() as connection:
                objects.add_silence(connection, one.kind, one.id, passed_ms)
            if one.silent_ms + passed_ms < SILENCE_MS:
                raise
            with self._core.database.writing() as connection:
                self._core.journal.later(
                    "destruction-intended", body, key=f"{key}/unheard", within=connection
                )
                objects.set_state(connection, one.kind, one.id, "intended")
            return True
        if one.due_ms is None or entry.time_ms < one.due_ms:
            return False
        with self._core.database.writing() as connection:
            objects.set_state(connection, one.kind, one.id, "intended")
        return True

    def _destroy(self, one: KeyObject) -> None:
        handle = KeyHandle(one.kind, one.id)
        remains = self._remains[one.kind]
        with self._core.database.reading() as connection:
            probe = remains.wrapped(connection, one.id)
        self._core.provider.destroy(handle)
        if probe is not None:
            self._demand_shut(handle, *probe)
        certificate = self._certificate(one)
        with self._core.database.writing() as connection:
            self._core.journal.later(
                "destroyed", certificate.payload, key=f"{one.kind}/{one.id}", within=connection
            )
            objects.set_state(connection, one.kind, one.id, "destroyed", dsse.to_bytes(certificate))
            remains.drop(connection, one.id)
        self._telemetry.info("destroyed", kind=one.kind, object=one.id)

    def _demand_shut(self, handle: KeyHandle, wrapped: bytes, use: str) -> None:
        """Refuse to call an object destroyed under which something still opens."""
        try:
            self._core.provider.unwrap(handle, wrapped, use.encode()).wipe()
        except RefusedError:
            return
        raise RefusedError(
            "KEY_OBJECT_NOT_DESTROYED",
            "the key object still opens what it wrapped: look at the key provider",
            kind=Kind.UNAVAILABLE,
        )

    def _certificate(self, one: KeyObject) -> dsse.Envelope:
        return DestructionCertificate(
            mesh=self._core.mesh,
            purpose="destruction",
            issued=self._core.clock.now_ms(),
            expires=None,
            checkpoint=self._core.journal.checkpoint(),
            kind=one.kind,
            object=one.id,
            cause=one.cause,
        ).sign(self._core.sign)


class KeeperThread:
    """Calls `tick` every few seconds.

    Args:
        keeper: What to call.
        telemetry: Where unexpected failures are logged.
        interval_s: Time between two calls, in seconds.
    """

    def __init__(self, keeper: Keeper, telemetry: Telemetry, interval_s: float = INTERVAL_S) -> None:
        self._keeper = keeper
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a destruction under way is finished first."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._keeper.tick()
            except RefusedError as error:
                log_refusal(self._telemetry, "keeper_failed", error)
            except Exception as error:  # noqa: BLE001 - a keeper that ends lets nothing end any more
                self._telemetry.error("keeper_failed", error=type(error).__name__)
            self._stop.wait(self._interval_s)
