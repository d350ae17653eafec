"""At each start: compare the log's leaves of custody's with the stored intents, before anything opens.

A leaf whose intent is stored but incomplete is completed. A leaf without an intent means that this database
is older than the log: it was restored. Custody is then frozen anew, reads from the leaves' sealed bodies what
it had done, applies it, and only then lets a quorum thaw it. While the log is silent, or a leaf cannot be
read, nothing opens.
"""

from __future__ import annotations

import base64
import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import select

from garim.api.audit.v1 import audit_pb2 as pb
from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.journal import BODY_TYPE
from garim.custody.kinds import RECOVERY
from garim.custody.reapplying import BARE, Entry, Reapplying
from garim.custody.recovery import OBJECT_ID
from garim.custody.tables import recovery_keys, restoring, stopping
from garim.custody.tables.stopping import Freeze
from garim.kit.convert import pin_to
from garim.kit.identity import service_id
from garim.kit.ledger import intents
from garim.kit.ledger.intents import Intent
from garim.kit.ledger.log import Rpc, ask
from garim.kit.ledger.tables import pins
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements import dsse, strict_json
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import Leaf, parse_leaf
from garim.translog.proven import LogProof
from garim.translog.tree import Frontier, hash_leaf

PAGE = 1000
ID_BYTES = 16
INTERVAL_S = 1.0
BODIES_IN_A_JOB = 50


class LogReader(Protocol):
    """The calls of the audit service that a comparison makes; its generated stub fits."""

    @property
    def ListEntries(self) -> Rpc[pb.ListEntriesRequest, pb.ListEntriesResponse]:  # noqa: N802 - the RPC's name
        """List leaves in order."""
        ...

    @property
    def GetInclusionProof(  # noqa: N802 - as above
        self,
    ) -> Rpc[pb.GetInclusionProofRequest, pb.GetInclusionProofResponse]:
        """Prove that a leaf lies in a tree."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class OwnLeaf:
    """A leaf of custody's whose intent is not complete here.

    Attributes:
        index: Its place in the log.
        encoded: Its exact bytes.
        leaf: What it says.
        intent: The stored intent; None where the database never had it.
    """

    index: int
    encoded: bytes
    leaf: Leaf
    intent: Intent | None


@dataclasses.dataclass(slots=True)
class Restoring:
    """Compares, and catches up with what a restored database has lost.

    Args:
        core: Custody's means.
        log: The audit service, read.
        refresh: Fetches and pins the log's newest checkpoint.
        reapplying: Applies entries.
        freeze: The freeze that this start has begun, once it had to.
    """

    core: Core
    log: LogReader
    refresh: Callable[[], CheckpointSeen]
    reapplying: Reapplying
    freeze: Freeze | None = None

    def begin(self) -> None:
        """Let nothing open until `attempt` has returned."""
        with self.core.database.writing() as connection:
            restoring.begin(connection)

    def attempt(self) -> int:
        """Compare the log with the database, and catch up where it was restored.

        Returns:
            How many entries the database had lost; custody is frozen unless there were none.

        Raises:
            RefusedError: `LOG_*`: the log is silent or does not prove what it shows. `RECOVERY_LEAF`: an
                entry's body cannot be read or applied; custody stays as shut as it is.
        """
        origin = self.core.governance.current().log.origin
        seen = self.refresh()
        note = self._note(seen)
        with self.core.database.reading() as connection:
            compared = restoring.compared(connection, origin)
        frontier, found = self._read(compared, seen)
        for one in found:
            if one.intent is not None:
                self._complete(one.intent, self._proof(one, one.intent.salt, seen, note))
        lost = [one for one in found if one.intent is None]
        if lost:
            self.freeze = self.freeze or self._freeze()
            for entry in self._opened(lost, seen, note):
                self._apply(entry)
            self.reapplying.note_objects()
            self._log_recovery(self.freeze, lost)
        with self.core.database.writing() as connection:
            restoring.complete(connection, frontier, origin)
        return len(lost)

    def _read(self, compared: Frontier, seen: CheckpointSeen) -> tuple[Frontier, list[OwnLeaf]]:
        """Return custody's unaccounted leaves, once all leaves shown are seen to be the tree's own."""
        frontier, found = compared, list[OwnLeaf]()
        actor = service_id(self.core.mesh, "custody")
        while frontier.size < seen.size:
            request = pb.ListEntriesRequest(pin=pin_to(seen), start=frontier.size, page_size=PAGE)
            leaves = list(ask(self.log.ListEntries, request).leaves)[: seen.size - frontier.size]
            if not leaves:
                raise _lying("it keeps leaves back")
            for index, encoded in enumerate(leaves, frontier.size):
                leaf = parse_leaf(encoded)
                if leaf.actor == actor:
                    found += self._unaccounted(index, encoded, leaf)
            frontier, _ = frontier.extend([hash_leaf(one) for one in leaves])
        if (frontier.size, frontier.root().hex()) != (seen.size, seen.root):
            raise _lying("its leaves are not those of its tree")
        return frontier, found

    def _unaccounted(self, index: int, encoded: bytes, leaf: Leaf) -> list[OwnLeaf]:
        with self.core.database.reading() as connection:
            intent = intents.by_commitment(connection, leaf.commitment)
        if intent is not None and intent.proof is not None:
            return []
        return [OwnLeaf(index, encoded, leaf, intent)]

    def _complete(self, intent: Intent, proof: LogProof) -> None:
        """Keep the proof of an entry whose answer was lost."""
        leaf = self._verified(intent.body, proof, intent.kind)
        with self.core.database.writing() as connection:
            intents.complete(connection, intent, proof, leaf.time_ms)

    def _note(self, seen: CheckpointSeen) -> bytes:
        """Return the signed checkpoint that was pinned just now."""
        wanted = (pins.c.size == seen.size) & (pins.c.root == bytes.fromhex(seen.root))
        with self.core.database.reading() as connection:
            note: bytes | None = connection.execute(select(pins.c.note).where(wanted)).scalar()
        if note is None:
            raise RefusedError("LOG_UNAVAILABLE", "the log grew meanwhile: try again", kind=Kind.UNAVAILABLE)
        return note

    def _proof(self, one: OwnLeaf, salt: bytes, seen: CheckpointSeen, note: bytes) -> LogProof:
        request = pb.GetInclusionProofRequest(pin=pin_to(seen), index=one.index, size=seen.size)
        path = tuple(ask(self.log.GetInclusionProof, request).path)
        return LogProof(one.encoded, salt, one.index, path, note)

    def _verified(self, body: bytes, proof: LogProof, kind: str) -> Leaf:
        return self.core.log.verify(body, proof, kind=kind, actor=service_id(self.core.mesh, "custody"))

    def _freeze(self) -> Freeze:
        """Begin a freeze of our own in place of any other: no earlier decision to thaw counts for it."""
        core = self.core
        freeze = Freeze(core.draw(ID_BYTES).hex(), core.clock.now_ms(), "recovery")
        with core.database.writing() as connection:
            known = stopping.freeze_in_force(connection)
            if known is not None:
                stopping.end_freeze(connection, known.id, freeze.since_ms)
            stopping.begin_freeze(connection, freeze)
        return freeze

    def _opened(self, lost: Sequence[OwnLeaf], seen: CheckpointSeen, note: bytes) -> list[Entry]:
        """Open the lost entries' bodies; nothing is applied unless all of them open."""
        with_body = [one for one in lost if one.leaf.type not in BARE]
        signed: list[bytes] = []
        for at in range(0, len(with_body), BODIES_IN_A_JOB):
            signed += self._bodies(with_body[at : at + BODIES_IN_A_JOB])
        return [self._entry(one, body, seen, note) for one, body in zip(with_body, signed, strict=True)]

    def _bodies(self, lost: Sequence[OwnLeaf]) -> tuple[bytes, ...]:
        core = self.core
        with core.database.reading() as connection:
            key = recovery_keys.newest(connection)
        if key is None:
            raise _unreadable("there is no recovery key")
        job = jobs.OpenLogBodies(
            mesh=core.mesh,
            key=jobs.Wrapped(kind=RECOVERY, id=OBJECT_ID, wrapped=key.wrapped_private),
            bodies=tuple(jobs.SealedBody(kind=one.leaf.type, sealed=one.leaf.sealed or b"") for one in lost),
        )
        try:
            return jobs.LogBodiesOpened.model_validate_json(core.opener.run(job.encode())).signed
        except RefusedError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            raise _unreadable("it was sealed to another recovery key, or damaged") from error

    def _entry(self, one: OwnLeaf, signed: bytes, seen: CheckpointSeen, note: bytes) -> Entry:
        """Verify who signed a body, for which entry, and that it is the one committed to."""
        keys = self.core.governance.current().keys_of("custody")
        try:
            payload = dsse.verify(dsse.from_bytes(signed), BODY_TYPE, keys)
            members = strict_json.parse_object(payload)
            body, salt = base64.b64decode(members["body"]), bytes.fromhex(members["salt"])
            beside = base64.b64decode(members["beside"])
        except (RefusedError, ValueError, KeyError) as error:
            raise _unreadable("custody has not signed its body") from error
        if (members["mesh"], members["kind"]) != (self.core.mesh, one.leaf.type):
            raise _unreadable("its body belongs to another entry")
        proof = self._proof(one, salt, seen, note)
        self._verified(body, proof, one.leaf.type)
        return Entry(one.leaf.type, body, beside, proof, one.leaf.time_ms)

    def _apply(self, entry: Entry) -> None:
        try:
            self.reapplying.apply(entry)
        except (KeyError, ValueError, TypeError) as error:
            raise _unreadable(f"its body is no {entry.kind}") from error

    def _log_recovery(self, freeze: Freeze, lost: Sequence[OwnLeaf]) -> None:
        body = strict_json.dump({"entries": len(lost), "first": lost[0].index, "freeze": freeze.id})
        self.core.journal.later("recovered", body, key=freeze.id, magnitudes={"entries": len(lost)})


class RestoringThread:
    """Tries until a comparison has been made.

    Args:
        restoring: What to try.
        telemetry: Where failures are logged.
        interval_s: Time between two attempts, in seconds.
    """

    def __init__(self, restoring: Restoring, telemetry: Telemetry, interval_s: float = INTERVAL_S) -> None:
        self._restoring = restoring
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restoring", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=10)

    def check(self) -> None:
        """Return once the log has been compared with the database; for `health.Health.register`.

        Raises:
            RefusedError: `RECOVERY_PENDING`.
        """
        if not self._done.is_set():
            raise RefusedError("RECOVERY_PENDING", "the log has not been compared yet", kind=Kind.UNAVAILABLE)

    def _run(self) -> None:
        while not self._stop.is_set() and not self._done.is_set():
            try:
                lost = self._restoring.attempt()
            except RefusedError as error:
                log_refusal(self._telemetry, "log_not_compared", error)
                self._stop.wait(self._interval_s)
            except Exception as error:  # noqa: BLE001 - whatever fails, nothing opens and it is tried again
                self._telemetry.error("comparison_failed", error=type(error).__name__)
                self._stop.wait(self._interval_s)
            else:
                self._done.set()
                if lost:
                    self._telemetry.warning("database_was_restored", count=lost)


def _lying(what: str) -> RefusedError:
    return RefusedError("LOG_LEAVES", f"the log's list is wrong: {what}", kind=Kind.DATA_LOSS)


def _unreadable(why: str) -> RefusedError:
    return RefusedError("RECOVERY_LEAF", f"a log entry cannot be recovered: {why}", kind=Kind.DATA_LOSS)
