"""Append, prove, show: what the log does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from garim.audit import tables
from garim.audit.grouping import Grouped
from garim.audit.growing import GrowingTree
from garim.audit.publishing import Publisher
from garim.audit.witnesses import Witness
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.keys import Signer
from garim.translog.leaf import ZERO_SALT, Leaf, commitment_to_digest
from garim.translog.tree import (
    Frontier,
    HashReader,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    read_frontier,
)

TOLERANCE_MS = 120_000
TIMEOUT_S = 4.0
MAX_PAGE = 1_000
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_GROUP = 256
"""So many entries are stored by one commit at most."""
GENESIS = "genesis"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a caller wants appended.

    Attributes:
        type: Kind of entry.
        commitment: 32 bytes.
        time_ms: The caller's time, milliseconds since 1970.
        magnitudes: Public counts.
        sealed: Custody's sealed body and salt; None for others.
    """

    type: str
    commitment: bytes
    time_ms: int
    magnitudes: Mapping[str, int]
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Appended:
    """A leaf with all that proves it.

    Attributes:
        leaf: Its exact bytes.
        index: Its place.
        path: Inclusion path.
        checkpoint: The signed checkpoint.
        consistency: Path from the caller's pin to the checkpoint.
    """

    leaf: bytes
    index: int
    path: list[bytes]
    checkpoint: bytes
    consistency: list[bytes]


_Key = tuple[str, str, bytes]
"""Actor, type and commitment: the same again is the same leaf."""


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one `TransparencyLog.append`."""

    actor: str
    entry: Entry
    pin: CheckpointSeen | None

    @property
    def key(self) -> _Key:
        """By which the same entry is found again."""
        return self.actor, self.entry.type, self.entry.commitment


class TransparencyLog:
    """The log, on its database; safe to use from several threads.

    Args:
        database: Leaves and nodes.
        signer: Signs checkpoints; its name is the log's origin.
        mesh: Name of the mesh.
        genesis: SHA-256 of the governance version that leaf 0 commits to.
        clock: The log's time.
        wait_for: Names of services whose pins must be seen before anything is appended.
        witnesses: Who has to cosign every checkpoint before it is shown.
        timeout_s: Longest time that they may take together, in seconds.

    Raises:
        RefusedError: `LOG_STORED` (data loss): the stored nodes are not those of the stored leaves.
    """

    def __init__(
        self,
        database: Database,
        signer: Signer,
        *,
        mesh: str,
        genesis: bytes,
        clock: Clock,
        wait_for: Collection[str],
        witnesses: Sequence[Witness] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._database = database
        self._signer = signer
        self._custody = service_id(mesh, "custody")
        self._genesis = commitment_to_digest(ZERO_SALT, genesis)
        self._clock = clock
        self._lock = threading.Lock()
        self._appending = Grouped(self.append_group, MAX_GROUP)
        self._awaited = {service_id(mesh, service) for service in wait_for}
        self._publisher = (
            Publisher(signer, witnesses, state=self._state, prove=self._prove, timeout_s=timeout_s)
            if witnesses
            else None
        )
        self.check_stored()

    def close(self) -> None:
        """Ask no witness any more."""
        if self._publisher is not None:
            self._publisher.close()

    def append(self, actor: str, entry: Entry, pin: CheckpointSeen | None) -> Appended:
        """Append an entry, or find it again, and prove it.

        Args:
            actor: SPIFFE id of the caller, from its certificate.
            entry: What to append; the same type and commitment again is the same leaf.
            pin: The caller's pin.

        Raises:
            RefusedError: `LOG_PIN` (data loss): the pin is not in this tree. `LOG_WAITING_FOR_PINS`
                (unavailable): try again. `LOG_TIME`: caller and log differ by two minutes. `LOG_ENTRY`: the
                entry is malformed or not this caller's to make. `LOG_WITNESS_*`: it is stored, but a witness
                has not cosigned it: the same call goes on.
        """
        answer = self._appending(Call(actor, entry, pin))
        if self._publisher is not None:
            return self._published(self._publisher, answer, pin)
        return answer

    def newest(self, actor: str, pin: CheckpointSeen | None) -> tuple[bytes, list[bytes]]:
        """Return the newest checkpoint and the path from the caller's pin to it.

        Args:
            actor: SPIFFE id of the caller.
            pin: The caller's pin.

        Raises:
            RefusedError: `LOG_PIN`; `LOG_EMPTY` (unavailable): there is nothing to sign yet; `LOG_WITNESS_*`.
        """
        with self._meeting(actor, pin) as (connection, size):
            if size == 0:
                raise RefusedError("LOG_EMPTY", "the log waits for its first entry", kind=Kind.UNAVAILABLE)
            read = tables.node_reader(connection)
            root = read_frontier(size, read).root()
            path = prove_consistency(pin.size, size, read) if pin else []
        if self._publisher is None:
            return self._sign(root, size), path
        published = self._publisher.covering(size)
        return published.note, self._prove(pin.size, published.size) if pin else []

    def inclusion(
        self, actor: str, pin: CheckpointSeen | None, index: int, size: int
    ) -> tuple[bytes, list[bytes]]:
        """Return a leaf and its path to the root of the first `size` leaves.

        Raises:
            RefusedError: `LOG_PIN`, `LOG_RANGE`.
        """
        with self._meeting(actor, pin) as (connection, have):
            if not 0 <= index < size <= have:
                raise _out_of_range(have)
            leaf = tables.read_leaves(connection, index, 1)[0]
            return leaf, prove_inclusion(index, size, tables.node_reader(connection))

    def consistency(self, actor: str, pin: CheckpointSeen | None, old: int, new: int) -> list[bytes]:
        """Return the path that proves the first `old` leaves a prefix of the first `new`.

        Raises:
            RefusedError: `LOG_PIN`, `LOG_RANGE`.
        """
        with self._meeting(actor, pin) as (connection, have):
            if not 0 < old <= new <= have:
                raise _out_of_range(have)
            return prove_consistency(old, new, tables.node_reader(connection))

    def entries(self, actor: str, pin: CheckpointSeen | None, start: int, count: int) -> list[bytes]:
        """Return leaves from `start` on, as many as were asked for and one answer carries.

        Args:
            actor: SPIFFE id of the caller.
            pin: The caller's pin.
            start: Place of the first leaf.
            count: At most this many; 0 for as many as a page holds.

        Raises:
            RefusedError: `LOG_PIN`, `LOG_RANGE`.
        """
        with self._meeting(actor, pin) as (connection, have):
            if start > have:
                raise _out_of_range(have)
            found = tables.read_leaves(connection, start, min(count or MAX_PAGE, MAX_PAGE))
        total = 0
        for number, leaf in enumerate(found):
            total += len(leaf)
            if total > MAX_PAGE_BYTES and number:
                return found[:number]
        return found

    def append_own(self, actor: str, entry: Entry, body: bytes, salt: bytes) -> None:
        """Append an entry of this service itself, keeping what it commits to.

        Raises:
            RefusedError: As `append`.
        """
        with self._database.writing() as connection:
            tree = GrowingTree(connection)
            self._demand_open(actor, entry, tree.size)
            self._add(tree, actor, entry)
            tree.store()
            tables.keep_own(connection, entry.commitment, body, salt)

    def append_group(self, calls: Sequence[Call]) -> list[Appended | Exception]:
        """Append what came at the same time: one transaction, one checkpoint; what is refused is so alone."""
        with self._database.writing() as connection:
            tree = GrowingTree(connection)
            known = tree.find(one.key for one in calls)
            found = [self._found_or_added(tree, known, one) for one in calls]
            tree.store()
            size, root = tree.size, read_frontier(tree.size, tree.read).root() if tree.size else b""
            answers = [
                one if isinstance(one, Exception) else _proven(tree, one, call.pin)
                for call, one in zip(calls, found, strict=True)
            ]
        # Signed outside the transaction: nothing is signed before it is stored; nor what nobody is shown.
        if self._publisher is not None or all(isinstance(one, Exception) for one in answers):
            return answers
        note = self._sign(root, size)
        return [one if isinstance(one, Exception) else replace(one, checkpoint=note) for one in answers]

    def _found_or_added(
        self, tree: GrowingTree, known: dict[_Key, tables.StoredLeaf], call: Call
    ) -> tables.StoredLeaf | Exception:
        try:
            self._meet(tree.read, call.actor, call.pin, tree.stored)
            if call.key not in known:
                self._demand_open(call.actor, call.entry, tree.size)
                known[call.key] = self._add(tree, call.actor, call.entry)
        except RefusedError as refusal:
            return refusal
        return known[call.key]

    def check_stored(self) -> None:
        """Hash all leaves anew and demand the stored nodes, all of them.

        Raises:
            RefusedError: `LOG_STORED` (data loss).
        """
        frontier = Frontier()
        with self._database.reading() as connection:
            for page in tables.all_leaves(connection):
                frontier, runs = frontier.extend([hash_leaf(leaf) for leaf in page])
                if any(tables.read_run(connection, run) != run.hashes for run in runs):
                    raise _damaged()
            if frontier.size != tables.read_size(connection):
                raise _damaged()

    @contextlib.contextmanager
    def _meeting(self, actor: str, pin: CheckpointSeen | None) -> Iterator[tuple[sa.Connection, int]]:
        with self._database.reading() as connection:
            size = tables.read_size(connection)
            self._meet(tables.node_reader(connection), actor, pin, size)
            yield connection, size

    def _meet(self, read: HashReader, actor: str, pin: CheckpointSeen | None, size: int) -> None:
        """Refuse a caller whose pin is not in the tree; remember that the pin of this one is."""
        if pin is None:
            return
        known = pin.size <= size and read_frontier(pin.size, read).root().hex()
        if known != pin.root:
            raise RefusedError(
                "LOG_PIN",
                "the pin is not in this tree: the log has lost entries or shows another history",
                kind=Kind.DATA_LOSS,
                field="pin",
            )
        with self._lock:
            self._awaited.discard(actor)

    def _demand_open(self, actor: str, entry: Entry, size: int) -> None:
        if size == 0:
            if (actor, entry.type) != (self._custody, GENESIS):
                raise RefusedError(
                    "LOG_WAITING_FOR_PINS", "the log waits for custody's first entry", kind=Kind.UNAVAILABLE
                )
            return
        with self._lock:
            awaited = bool(self._awaited)
        if awaited:
            raise RefusedError(
                "LOG_WAITING_FOR_PINS",
                "the log has just started and waits for the pins of custody and warrants: try again",
                kind=Kind.UNAVAILABLE,
            )

    def _add(self, tree: GrowingTree, actor: str, entry: Entry) -> tables.StoredLeaf:
        begins = tree.size == 0 and entry.commitment == self._genesis and entry.sealed is None
        if (tree.size == 0 or entry.type == GENESIS) and not begins:
            raise RefusedError(
                "LOG_ENTRY", "a log begins, once, with the governance that its settings name", field="type"
            )
        if entry.sealed is not None and actor != self._custody:
            raise RefusedError("LOG_ENTRY", "only custody seals into its leaves", field="sealed")
        if abs(entry.time_ms - self._clock.now_ms()) >= TOLERANCE_MS:
            raise RefusedError(
                "LOG_TIME",
                "the times of caller and log differ by two minutes: set the clocks",
                kind=Kind.UNAVAILABLE,
                field="time_ms",
            )
        time_ms = max(entry.time_ms, tree.last_ms)
        try:
            leaf = Leaf(entry.type, time_ms, actor, entry.commitment, entry.magnitudes, entry.sealed)
            return tree.add(leaf, leaf.encode())
        except RefusedError as error:
            raise _malformed(error) from error

    def _published(self, publisher: Publisher, found: Appended, pin: CheckpointSeen | None) -> Appended:
        """Prove a stored leaf in a checkpoint that all witnesses have cosigned."""
        published = publisher.covering(max(found.index + 1, pin.size if pin else 0))
        with self._database.reading() as connection:
            read = tables.node_reader(connection)
            path = prove_inclusion(found.index, published.size, read)
            consistency = prove_consistency(pin.size, published.size, read) if pin else []
        return Appended(found.leaf, found.index, path, published.note, consistency)

    def _state(self) -> tuple[int, bytes]:
        with self._database.reading() as connection:
            size = tables.read_size(connection)
            return size, read_frontier(size, tables.node_reader(connection)).root()

    def _prove(self, old: int, new: int) -> list[bytes]:
        with self._database.reading() as connection:
            return prove_consistency(old, new, tables.node_reader(connection))

    def _sign(self, root: bytes, size: int) -> bytes:
        return sign_checkpoint(Checkpoint(self._signer.key.name, size, root), self._signer)


def _proven(tree: GrowingTree, found: tables.StoredLeaf, pin: CheckpointSeen | None) -> Appended:
    """Prove a leaf in the tree as it is stored now; the checkpoint is still to be signed."""
    path = prove_inclusion(found.position, tree.size, tree.read)
    consistency = prove_consistency(pin.size, tree.size, tree.read) if pin else []
    return Appended(found.leaf, found.position, path, b"", consistency)


def _malformed(error: RefusedError) -> RefusedError:
    return RefusedError("LOG_ENTRY", error.message, field=error.field)


def _damaged() -> RefusedError:
    return RefusedError(
        "LOG_STORED",
        "the stored nodes are not those of the leaves: restore the database",
        kind=Kind.DATA_LOSS,
    )


def _out_of_range(have: int) -> RefusedError:
    return RefusedError("LOG_RANGE", f"the log has {have} leaves: ask for others", field="size")
