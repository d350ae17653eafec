"""Storing: rosters and batches, sealed under the write secret in use and durable before they are answered."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import ingest_rows as rows
from garim.messages.blinding import Blinding, RosterDraft
from garim.messages.epochs import Epoch, EpochBook
from garim.messages.segments import Cut, Draft, cut
from garim.messages.write_secrets import Moment, WriteSecrets
from garim.sealing import roster as roster_records
from garim.sealing.segment import SegmentHeader, seal_block
from garim.statements.refusal import Kind, RefusedError

MAX_ROSTERS = 1_000
_ROUNDS = 3
_ROSTERS_KEPT = 50_000
_BUSY_WAIT_S = 0.05


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


@dataclass(slots=True)
class _Roster:
    """A known roster and which senders were seen to be its members, as tags."""

    row: rows.KnownRoster
    conversation_tag: bytes
    senders: set[bytes] = field(default_factory=set)


class _Sealed(NamedTuple):
    received_ms: int
    data: bytes
    segments: list[rows.SegmentRow]


class Writer:
    """Stores rosters and batches.

    Args:
        database: The store's tables.
        epochs: Which epoch it is.
        secrets: The write secret in use.
        mesh: Name of the mesh.
        clock: For the wall time.
        random_bytes: Draws segment ids.
        at_once: Batches worked on at once.
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
        at_once: int,
        max_future_ms: int,
    ) -> None:
        self._database = database
        self._epochs = epochs
        self._secrets = secrets
        self._mesh = mesh
        self._clock = clock
        self._random_bytes = random_bytes
        self._max_future_ms = max_future_ms
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._rosters: OrderedDict[bytes, _Roster] = OrderedDict()

    def append(self, producer: str, request: pb.AppendMessagesRequest) -> Stored | Unknown:
        """Store a batch: all of it, once, durable when this returns `Stored`.

        Args:
            producer: SPIFFE id of the back end.
            request: The batch.

        Raises:
            RefusedError: As `segments.cut`; `MESSAGE_SENDER`, `BATCH_CHANGED`, `STORE_BUSY`, `STORE_EPOCH`,
                and those of the database.
        """
        with self._place():
            batch = cut(request, self._clock.now_ms() + self._max_future_ms)
            content = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
            for _ in range(_ROUNDS):
                epoch = self._epochs.current()
                with _unless_over(epoch):
                    answer = self._attempt(producer, request, batch, content, epoch)
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
        with self._place():
            for _ in range(_ROUNDS):
                epoch = self._epochs.current()
                with _unless_over(epoch):
                    blinding = Blinding(epoch.offer.index_key, self._mesh)
                    drafts = [
                        blinding.roster(one, f"rosters[{position}]") for position, one in enumerate(requested)
                    ]
                    if self._store_rosters(epoch, drafts):
                        return [draft.canonical_digest for draft in drafts]
        raise busy()

    def forget_epoch(self) -> None:
        """Forget the rosters held in memory; they belong to an epoch that has ended."""
        with self._lock:
            self._rosters.clear()

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_BUSY_WAIT_S):
            raise busy()
        try:
            yield
        finally:
            self._places.release()

    def _attempt(
        self,
        producer: str,
        request: pb.AppendMessagesRequest,
        batch: Cut,
        content: bytes,
        epoch: Epoch,
    ) -> Stored | Unknown | None:
        """Return the answer, or None where write secret or epoch ended before the batch was sealed in it."""
        blinding = Blinding(epoch.offer.index_key, self._mesh)
        rosters = self._find_rosters(epoch, blinding, request)
        unknown = tuple(position for position, one in enumerate(rosters) if one is None)
        if unknown:
            with self._database.reading() as connection:
                before = rows.find_batch(connection, producer, request.batch_id)
            return self._repeated(before, content) if before else Unknown(unknown)
        known = [one for one in rosters if one is not None]
        self._demand_members(epoch, blinding, known, batch.senders)
        digest = _content_tag(epoch, content)
        with self._secrets.use(epoch) as moment:
            sealed = self._seal(moment, known, batch.drafts)
            if not moment.sealed_in_time():
                return None
        with self._database.writing() as connection:
            before = rows.find_batch(connection, producer, request.batch_id)
            if before:
                return self._repeated(before, content)
            if not rows.is_open(connection, epoch.number):
                return None
            rows.add_batch(
                connection,
                epoch.number,
                producer=producer,
                batch=request.batch_id,
                digest=digest,
                received=sealed.received_ms,
                data=sealed.data,
                segments=sealed.segments,
            )
        return Stored(epoch.offer.epoch, sealed.received_ms)

    def _repeated(self, before: rows.BatchRow, content: bytes) -> Stored:
        # An epoch's key is gone one epoch after its end, or after a restart: then the id alone decides.
        key = self._epochs.batch_key(before.number)
        if key is not None and not hmac.compare_digest(
            hmac.digest(key.buffer, content, "sha256"), before.digest
        ):
            raise RefusedError(
                "BATCH_CHANGED",
                "another content was stored under this batch id: take a new id",
                kind=Kind.EXISTS,
                field="batch_id",
            )
        return Stored(before.epoch, before.received)

    def _find_rosters(
        self, epoch: Epoch, blinding: Blinding, request: pb.AppendMessagesRequest
    ) -> list[_Roster | None]:
        tags = [blinding.conversation(one.conversation_id) for one in request.conversations]
        askings = [
            blinding.asking(tag, one.roster_digest)
            for tag, one in zip(tags, request.conversations, strict=True)
        ]
        with self._lock:
            missing = {one for one in askings if one not in self._rosters}
        if missing:
            with self._database.reading() as connection:
                found = rows.find_rosters(connection, epoch.number, missing)
            with self._lock:
                for asking, tag in zip(askings, tags, strict=True):
                    if asking in found and asking not in self._rosters:
                        self._rosters[asking] = _Roster(found[asking], tag)
                while len(self._rosters) > _ROSTERS_KEPT:
                    self._rosters.popitem(last=False)
        with self._lock:
            return [self._rosters.get(asking) for asking in askings]

    def _demand_members(
        self, epoch: Epoch, blinding: Blinding, rosters: list[_Roster], senders: list[frozenset[str]]
    ) -> None:
        tag_of = {name: blinding.account(name) for name in frozenset().union(*senders)}
        unseen = [
            (tag_of[name], one, position)
            for position, (one, names) in enumerate(zip(rosters, senders, strict=True))
            for name in names
            if tag_of[name] not in one.senders
        ]
        if not unseen:
            return
        with self._database.reading() as connection:
            members = rows.are_members(
                connection, epoch.number, [(tag, one.row.number) for tag, one, _ in unseen]
            )
        for is_member, (tag, one, position) in zip(members, unseen, strict=True):
            if not is_member:
                raise RefusedError(
                    "MESSAGE_SENDER",
                    "a sender is no member of the roster",
                    field=f"conversations[{position}]",
                )
            one.senders.add(tag)

    def _seal(self, moment: Moment, rosters: list[_Roster], drafts: list[Draft]) -> _Sealed:
        received = moment.received_ms
        parts: list[bytes] = []
        index: list[rows.SegmentRow] = []
        place = 0
        for draft in drafts:
            roster = rosters[draft.position]
            header = SegmentHeader(
                self._random_bytes(16),
                moment.held.id,
                roster.conversation_tag,
                roster.row.digest,
                draft.sent_first,
                draft.sent_last,
                received,
                received,
                draft.messages,
                draft.kind,
            ).encode()
            ciphertext = seal_block(moment.held.segment_root, self._mesh, header, draft.block)
            parts += (header, ciphertext)
            size = len(header) + len(ciphertext)
            index.append(
                rows.SegmentRow(
                    roster.row.conversation,
                    place,
                    size,
                    roster.row.number,
                    draft.sent_first,
                    draft.sent_last,
                    draft.messages,
                    draft.kind,
                )
            )
            place += size
        return _Sealed(received, b"".join(parts), index)

    def _store_rosters(self, epoch: Epoch, drafts: list[RosterDraft]) -> bool:
        with self._database.reading() as connection:
            stored = rows.find_rosters(connection, epoch.number, {draft.asking for draft in drafts})
        fresh = {draft.asking: draft for draft in drafts if draft.asking not in stored}
        if not fresh:
            return True
        with self._secrets.use(epoch) as moment:
            sealed = [self._seal_roster(moment, epoch, draft) for draft in fresh.values()]
            if not moment.sealed_in_time():
                return False
        with self._database.writing() as connection:
            if not rows.is_open(connection, epoch.number):
                return False
            for row in sealed:
                rows.add_roster(connection, epoch.number, row)
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


def busy() -> RefusedError:
    """Return the refusal of a store at its capacity."""
    return RefusedError(
        "STORE_BUSY",
        "the store takes no more at the moment: send the same batch again a little later",
        kind=Kind.EXHAUSTED,
        retry_after_s=1,
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
