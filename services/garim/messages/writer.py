"""Storing: rosters and batches, sealed under the write secret in use and durable before they are answered."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import ingest_rows as rows
from garim.messages.blinding import Blinding, RosterDraft
from garim.messages.capacity import Capacity, busy
from garim.messages.epochs import Epoch, EpochBook
from garim.messages.known_rosters import Known, KnownRosters
from garim.messages.segments import Cut, Draft, compressed, cut
from garim.messages.write_secrets import Moment, WriteSecrets
from garim.sealing import roster as roster_records
from garim.sealing.segment import BlockSealer, encode_header
from garim.statements.refusal import Kind, RefusedError

MAX_ROSTERS = 1_000
_ROUNDS = 3
SEGMENT_ID_BYTES = 16


class Stored(NamedTuple):
    """The batch is durable.

    Attributes:
        epoch: Random id of its epoch.
        received_ms: When it was received.
    """

    epoch: bytes
    received_ms: int


class Unknown(NamedTuple):
    """Nothing was stored: these conversations' rosters are not known in this epoch.

    Attributes:
        positions: Of the conversations in the request.
    """

    positions: tuple[int, ...]


class Before(NamedTuple):
    """Nothing was stored now: another number of messages was stored under this resumable batch's id.

    Attributes:
        messages: How many.
    """

    messages: int


class _Sealed(NamedTuple):
    received_ms: int
    secret: bytes
    segments: list[rows.SealedSegment]


class Writer:
    """Stores rosters and batches.

    Args:
        database: The store's tables.
        epochs: Which epoch it is.
        secrets: The write secret in use.
        mesh: Name of the mesh.
        clock: For the wall time.
        random_bytes: Draws segment ids.
        capacity: How much is worked on at once.
        max_future_ms: How far sent-at may lie ahead.
    """

    def __init__(
        self,
        database: Database,
        epochs: EpochBook,
        secrets: WriteSecrets,
        *,
        mesh: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        capacity: Capacity,
        max_future_ms: int,
    ) -> None:
        self._database = database
        self._epochs = epochs
        self._secrets = secrets
        self._mesh = mesh
        self._clock = clock
        self._random_bytes = random_bytes
        self._max_future_ms = max_future_ms
        self._capacity = capacity
        self._rosters = KnownRosters(database)

    def append(self, producer: str, request: pb.AppendMessagesRequest) -> Stored | Unknown | Before:
        """Store a batch: all of it, once, durable when this returns `Stored`.

        Args:
            producer: SPIFFE id of the back end.
            request: The batch.

        Raises:
            RefusedError: As `segments.cut`; `MESSAGE_SENDER`, `BATCH_CHANGED`, `STORE_BUSY`, `STORE_EPOCH`,
                and those of the database.
        """
        with self._capacity.hold(request.ByteSize()):
            batch = cut(request, self._clock.now_ms() + self._max_future_ms)
            for _ in range(_ROUNDS):
                epoch = self._epochs.current()
                with _unless_over(epoch):
                    answer = self._attempt(producer, request, batch, epoch)
                    if answer is not None:
                        return answer
        raise busy()

    def put_rosters(self, requested: Sequence[pb.Roster]) -> list[bytes]:
        """Store rosters for this epoch.

        Args:
            requested: The rosters.

        Returns:
            The digests of their canonical forms, in order.

        Raises:
            RefusedError: `ROSTER_EMPTY`, `ROSTER_MEMBER`, `ROSTER_TOO_LARGE`, `STORE_BUSY`, `STORE_EPOCH`,
                and those of the database.
        """
        if not 0 < len(requested) <= MAX_ROSTERS:
            reason = "ROSTER_TOO_LARGE" if requested else "ROSTER_EMPTY"
            raise RefusedError(reason, f"send 1 to {MAX_ROSTERS} rosters", field="rosters")
        with self._capacity.hold(sum(one.ByteSize() for one in requested)):
            for _ in range(_ROUNDS):
                epoch = self._epochs.current()
                with _unless_over(epoch):
                    blinding = Blinding(epoch.offer.index_key, self._mesh)
                    drafts = [
                        blinding.roster(one, f"rosters[{position}]") for position, one in enumerate(requested)
                    ]
                    if self._store_rosters(epoch, drafts):
                        self._rosters.learn(epoch, drafts, requested)
                        return [draft.canonical_digest for draft in drafts]
        raise busy()

    def forget_epoch(self) -> None:
        """Forget the rosters held in memory; they belong to an epoch that has ended."""
        self._rosters.clear()

    def _attempt(
        self,
        producer: str,
        request: pb.AppendMessagesRequest,
        batch: Cut,
        epoch: Epoch,
    ) -> Stored | Unknown | Before | None:
        """Return the answer, or None where write secret or epoch ended before the batch was sealed in it."""
        blinding = Blinding(epoch.offer.index_key, self._mesh)
        rosters = self._rosters.find(epoch, blinding, request.conversations)
        unknown = tuple(position for position, one in enumerate(rosters) if one is None)
        if unknown:
            with self._database.reading() as connection:
                before = rows.find_batch(connection, producer, request.batch_id)
            return self._repeated(before, request, batch) if before else Unknown(unknown)
        known = [one for one in rosters if one is not None]
        self._rosters.demand_members(epoch, blinding, known, batch.senders)
        digest = _content_tag(epoch, batch.content)
        blocks = compressed(batch.drafts)
        with self._secrets.use(epoch) as moment:
            sealed = self._seal(moment, known, batch.drafts, blocks)
            if not moment.sealed_in_time():
                return None
        with self._database.writing(shared=True) as connection:
            rows.hold_batch(connection, producer, request.batch_id)
            before = rows.find_batch(connection, producer, request.batch_id)
            if before:
                return self._repeated(before, request, batch)
            if not rows.is_open(connection, epoch.number):
                return None
            rows.add_batch(
                connection,
                epoch.shelf,
                rows.NewBatch(producer, request.batch_id, digest, *sealed, batch.messages),
            )
        return Stored(epoch.offer.epoch, sealed.received_ms)

    def _repeated(
        self, before: rows.BatchRow, request: pb.AppendMessagesRequest, batch: Cut
    ) -> Stored | Before:
        """Return the answer to a batch whose id is known; see `append`."""
        same_size = before.messages in {None, batch.messages}
        if request.resumable and before.messages is not None and not same_size:
            return Before(before.messages)
        # An epoch's key is gone one epoch after its end, or after a restart: then id and size alone decide.
        key = self._epochs.batch_key(before.number)
        if not same_size or (
            key is not None
            and not hmac.compare_digest(hmac.digest(key.buffer, batch.content, "sha256"), before.digest)
        ):
            raise RefusedError(
                "BATCH_CHANGED",
                "another content was stored under this batch id: take a new id",
                kind=Kind.EXISTS,
                field="batch_id",
            )
        return Stored(before.epoch, before.received)

    def _seal(
        self, moment: Moment, rosters: list[Known], drafts: list[Draft], blocks: list[bytes]
    ) -> _Sealed:
        received, secret = moment.received_ms, moment.held.id
        seal = BlockSealer(moment.held.segment_root, self._mesh).seal
        ids = self._random_bytes(SEGMENT_ID_BYTES * len(drafts))
        segments: list[rows.SealedSegment] = []
        for number, (position, first, last, messages, kind, _) in enumerate(drafts):
            roster = rosters[position]
            segment = ids[SEGMENT_ID_BYTES * number : SEGMENT_ID_BYTES * (number + 1)]
            header = encode_header(
                segment,
                secret,
                roster.conversation_tag,
                roster.row.digest,
                first,
                last,
                received,
                received,
                messages,
                kind,
            )
            ciphertext = seal(header, blocks[number])
            segments.append(rows.SealedSegment(roster.row, segment, first, last, messages, kind, ciphertext))
        return _Sealed(received, secret, segments)

    def _store_rosters(self, epoch: Epoch, drafts: list[RosterDraft]) -> bool:
        with self._database.reading() as connection:
            wanted = {draft.asking: draft.conversation_tag for draft in drafts}
            stored = rows.find_rosters(connection, epoch.shelf, wanted)
        fresh = {draft.asking: draft for draft in drafts if draft.asking not in stored}
        if not fresh:
            return True
        with self._secrets.use(epoch) as moment:
            sealed = [self._seal_roster(moment, epoch, draft) for draft in fresh.values()]
            if not moment.sealed_in_time():
                return False
        with self._database.writing(shared=True) as connection:
            if not rows.is_open(connection, epoch.number):
                return False
            rows.add_rosters(connection, epoch.shelf, sealed)
        return True

    def _seal_roster(self, moment: Moment, epoch: Epoch, draft: RosterDraft) -> rows.RosterRow:
        plain = roster_records.RosterPlain(
            moment.held.id,
            self._random_bytes(16),
            epoch.offer.epoch,
            draft.conversation_tag,
            draft.members,
        )
        record = roster_records.seal_roster(
            moment.held.roster_root, self._mesh, plain, draft.canonical
        ).encode()
        return rows.RosterRow(
            draft.conversation_tag,
            draft.asking,
            roster_records.digest(record),
            record,
            tuple(member.tag for member in draft.members),
        )


@contextlib.contextmanager
def _unless_over(epoch: Epoch) -> Iterator[None]:
    """End a round without an answer where the epoch's key went meanwhile; the next takes another epoch."""
    try:
        yield
    except ValueError:
        if len(epoch.offer.index_key) and len(epoch.batch_key):
            raise


def _content_tag(epoch: Epoch, content: bytes) -> bytes:
    return hmac.digest(epoch.batch_key.buffer, content, "sha256")
