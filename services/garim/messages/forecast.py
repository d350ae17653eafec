"""Counting what a document's scope matches, without opening anything; once for each document, logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import scope_rows as rows
from garim.messages.index_rows import Roster
from garim.messages.reader import Pass, Read
from garim.messages.tickets import Ticket
from garim.sealing.roster import RosterRecord
from garim.statements import dsse
from garim.statements.model import CheckpointSeen
from garim.statements.scope import Forecast, round_up
from garim.translog.proven import LogProof


class Proven(Protocol):
    """A logged entry: the kit's `LoggedEntry` fits."""

    @property
    def proof(self) -> LogProof:
        """What proves it."""
        ...


class Log(Protocol):
    """The store's access to the transparency log: the kit's `Ledger` fits."""

    def append(self, kind: str, body: bytes, *, key: str) -> Proven:
        """Log a body and return its proof."""
        ...

    def is_succeeded(self, proof: LogProof) -> bool:
        """Tell whether a proof claims a log that another has succeeded."""
        ...

    def checkpoint_seen(self) -> CheckpointSeen | None:
        """Return the largest pinned checkpoint."""
        ...


class Counted(NamedTuple):
    """What a scope matches, exactly; never shown so.

    Attributes:
        messages: In matched segments.
        conversations: Summed over epochs.
        bystanders: Account tags that are not the ticket's, summed over epochs.
        opaque: Segments of secret chats among them.
        tags: Blinded tags of the matched conversations.
    """

    messages: int
    conversations: int
    bystanders: int
    opaque: int
    tags: frozenset[bytes]


class Forecaster:
    """Makes forecasts.

    Args:
        database: The store's tables.
        log: The transparency log.
        sign: Signs with the store's key.
        mesh: Name of the mesh.
        store: Name of this store.
        clock: For the time of issue.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        sign: Callable[[bytes], bytes],
        *,
        mesh: str,
        store: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._log = log
        self._sign = sign
        self._mesh = mesh
        self._store = store
        self._clock = clock

    def forecast(self, ticket: Ticket) -> dsse.Envelope:
        """Return the document's forecast, counting it where this is the first time.

        Args:
            ticket: A verified forecast ticket.

        Raises:
            RefusedError: Those of the log and the database.
        """
        with self._database.reading() as connection:
            kept = rows.find_forecast(connection, ticket.document)
        if kept is None:
            payload = self._statement(ticket, self._count(ticket)).to_bytes()
            with self._database.writing() as connection:
                kept = rows.keep_forecast(connection, ticket.document, payload), None
        payload, signed = kept
        if signed is not None:
            return dsse.from_bytes(signed)
        self._log.append("forecast", payload, key=ticket.document.hex())
        envelope = dsse.sign(Forecast.PAYLOAD_TYPE, payload, self._sign)
        with self._database.writing() as connection:
            rows.sign_forecast(connection, ticket.document, dsse.to_bytes(envelope))
        return envelope

    def _statement(self, ticket: Ticket, counted: Counted) -> Forecast:
        return Forecast(
            mesh=self._mesh,
            purpose="forecast",
            issued=self._clock.now_ms(),
            expires=None,
            checkpoint=self._log.checkpoint_seen(),
            store=self._store,
            document=ticket.scope.document,
            ticket=ticket.digest.hex(),
            messages=round_up(counted.messages),
            conversations=round_up(counted.conversations),
            bystanders=round_up(counted.bystanders),
            opaque=round_up(counted.opaque),
            conversation_tags=tuple(sorted(tag.hex() for tag in counted.tags)),
        )

    def _count(self, ticket: Ticket) -> Counted:
        read = Read(self._database, ticket, Pass.SEGMENTS)
        messages = conversations = bystanders = opaque = 0
        found: set[bytes] = set()
        for epoch in read.epochs:
            tags = ticket.epochs[epoch.epoch]
            people: set[bytes] = set()
            named: set[bytes] = set()
            for roster, count in read.counted(epoch):
                messages += count.messages
                opaque += count.opaque
                named.add(roster.tag)
                people.update(self._accounts(epoch, roster))
            conversations += len(named)
            found |= named
            bystanders += len(people.difference(tags))
        return Counted(messages, conversations, bystanders, opaque, frozenset(found))

    def _accounts(self, epoch: rows.EpochRow, roster: Roster) -> set[bytes]:
        """Return the account tags of a roster's members."""
        with self._database.reading() as connection:
            record = rows.roster_record(connection, epoch.shelf, roster)
        if record is None:
            return set()
        plain = RosterRecord.decode(record).plain
        return {one.tag for one in plain.members if one.kind == "account"}
