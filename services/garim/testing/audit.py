"""A transparency log in memory, with the audit service's semantics, that misbehaves on demand."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2 as pb
from garim.api.common.v1 import statement_pb2
from garim.kit.clock import Clock
from garim.kit.convert import pin_from
from garim.kit.identity import service_id
from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.keys import Signer
from garim.translog.leaf import ZERO_SALT, Leaf, commitment_to_digest, parse_leaf
from garim.translog.memory import MemoryTree

TOLERANCE_MS = 120_000
MAX_PAGE = 1000


@dataclasses.dataclass
class Misbehaviour:
    """What a log can be told to do wrong; all at rest by default.

    Attributes:
        silent: Answers nothing: every call is refused as unavailable.
        silent_after_append: Appends, and then the answer is lost.
        actor: Writes this actor into leaves instead of the caller.
        time_shift_ms: Added to the time of every leaf.
        magnitudes: Writes these into leaves instead of the caller's.
        drop_sealed: Leaves out what custody sealed.
        replay: Answers an append with this leaf's place instead of appending.
        shown_size: Shows a checkpoint of this many leaves as its newest.
        trusts_pins: Does not look at pins, as a log that hides a fork would.
    """

    silent: bool = False
    silent_after_append: bool = False
    actor: str | None = None
    time_shift_ms: int = 0
    magnitudes: Mapping[str, int] | None = None
    drop_sealed: bool = False
    replay: int | None = None
    shown_size: int | None = None
    trusts_pins: bool = False


class FakeAudit:
    """The audit service without network and disk.

    Args:
        mesh: Name of the mesh.
        origin: The log's name in checkpoints.
        clock: Its time.
        key: Signs checkpoints; drawn if None.
        wait_for: Services whose pins it waits for after a start.
        genesis: SHA-256 of the governance that leaf 0 must commit to; any if None.
    """

    def __init__(
        self,
        mesh: str,
        origin: str,
        clock: Clock,
        *,
        key: Ed25519PrivateKey | None = None,
        wait_for: Collection[str] = (),
        genesis: bytes | None = None,
    ) -> None:
        self._genesis = None if genesis is None else commitment_to_digest(ZERO_SALT, genesis)
        self.mesh = mesh
        self.origin = origin
        self.clock = clock
        self.key = key or Ed25519PrivateKey.generate()
        self.leaves: list[bytes] = []
        self.misbehaviour = Misbehaviour()
        self.before_append: Callable[[str], None] = lambda _kind: None
        self._signer = Signer.of_private_key(origin, self.key)
        self._tree = MemoryTree()
        self._places: dict[tuple[str, str, bytes], int] = {}
        self._unseen = {service_id(mesh, service) for service in wait_for}
        self._lock = threading.RLock()

    def as_caller(self, actor: str) -> FakeAuditCaller:
        """Return the log as the caller with this SPIFFE id reaches it."""
        return FakeAuditCaller(self, actor)

    def forked(self, size: int) -> FakeAudit:
        """Return another log of the same name and key that shares the first `size` leaves only."""
        other = FakeAudit(self.mesh, self.origin, self.clock, key=self.key)
        for leaf in self.leaves[:size]:
            other.add(leaf)
        return other

    def note(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of the first `size` leaves, of all if None."""
        count = len(self.leaves) if size is None else size
        return sign_checkpoint(Checkpoint(self.origin, count, self._tree.root(count)), self._signer)

    def add(self, leaf: bytes) -> int:
        """Append a leaf without any check, and return its place."""
        parsed = parse_leaf(leaf)
        self._tree.append([leaf])
        self.leaves.append(leaf)
        index = len(self.leaves) - 1
        self._places[parsed.actor, parsed.type, parsed.commitment] = index
        return index

    def append(self, actor: str, request: pb.AppendEntryRequest) -> pb.AppendEntryResponse:
        """Serve `AppendEntry`."""
        with self._lock:
            self._demand_answering()
            if "/service/" not in actor:
                raise RefusedError("LOG_ACTOR", "only services append", kind=Kind.FORBIDDEN)
            self._meet(actor, request.pin)
            index = self._placed(actor, request)
            if self.misbehaviour.silent_after_append:
                raise _silent()
            size = self._shown_size()
            return pb.AppendEntryResponse(
                leaf=self.leaves[index],
                index=index,
                path=self._tree.inclusion(index, max(size, index + 1)),
                checkpoint=self.note(size),
                consistency=self._consistency(request.pin, size),
            )

    def checkpoint(self, actor: str, request: pb.GetCheckpointRequest) -> pb.GetCheckpointResponse:
        """Serve `GetCheckpoint`."""
        with self._lock:
            self._demand_answering()
            self._meet(actor, request.pin)
            if not self.leaves:
                raise RefusedError("LOG_EMPTY", "the log has no leaf yet", kind=Kind.UNAVAILABLE)
            size = self._shown_size()
            return pb.GetCheckpointResponse(
                checkpoint=self.note(size), consistency=self._consistency(request.pin, size)
            )

    def inclusion(self, actor: str, request: pb.GetInclusionProofRequest) -> pb.GetInclusionProofResponse:
        """Serve `GetInclusionProof`."""
        with self._lock:
            self._demand_answering()
            self._meet(actor, request.pin)
            if not request.index < request.size <= len(self.leaves):
                raise _out_of_range()
            path = self._tree.inclusion(request.index, request.size)
            return pb.GetInclusionProofResponse(leaf=self.leaves[request.index], path=path)

    def consistency(
        self, actor: str, request: pb.GetConsistencyProofRequest
    ) -> pb.GetConsistencyProofResponse:
        """Serve `GetConsistencyProof`."""
        with self._lock:
            self._demand_answering()
            self._meet(actor, request.pin)
            if not 0 < request.old_size <= request.new_size <= len(self.leaves):
                raise _out_of_range()
            path = self._tree.consistency(request.old_size, request.new_size)
            return pb.GetConsistencyProofResponse(path=path)

    def entries(self, actor: str, request: pb.ListEntriesRequest) -> pb.ListEntriesResponse:
        """Serve `ListEntries`."""
        with self._lock:
            self._demand_answering()
            self._meet(actor, request.pin)
            if request.start > len(self.leaves):
                raise _out_of_range()
            end = min(request.start + min(request.page_size or MAX_PAGE, MAX_PAGE), len(self.leaves))
            return pb.ListEntriesResponse(leaves=self.leaves[request.start : end], next_start=end)

    def _placed(self, actor: str, request: pb.AppendEntryRequest) -> int:
        if self.misbehaviour.replay is not None:
            return self.misbehaviour.replay
        place = self._places.get((actor, request.type, request.commitment))
        if place is not None:
            return place
        self._demand_open(actor, request)
        self._demand_entry(actor, request)
        self.before_append(request.type)
        try:
            leaf = self._leaf(actor, request).encode()
        except RefusedError as error:
            raise RefusedError("LOG_ENTRY", error.message, field=error.field) from error
        return self.add(leaf)

    def _demand_open(self, actor: str, request: pb.AppendEntryRequest) -> None:
        begins = request.type == "genesis" and actor == service_id(self.mesh, "custody")
        if self._unseen if self.leaves else not begins:
            raise RefusedError("LOG_WAITING_FOR_PINS", "the log waits", kind=Kind.UNAVAILABLE)

    def _demand_entry(self, actor: str, request: pb.AppendEntryRequest) -> None:
        begins = not self.leaves and self._genesis in {None, request.commitment} and not request.sealed
        if request.type == "genesis" and not begins:
            raise RefusedError("LOG_ENTRY", "the log begins otherwise", field="type")
        if request.sealed and actor != service_id(self.mesh, "custody"):
            raise RefusedError("LOG_ENTRY", "only custody seals", field="sealed")
        if abs(request.time_ms - self.clock.now_ms()) >= TOLERANCE_MS:
            raise RefusedError("LOG_TIME", "caller and log differ by two minutes", kind=Kind.UNAVAILABLE)

    def _leaf(self, actor: str, request: pb.AppendEntryRequest) -> Leaf:
        wrong = self.misbehaviour
        last_ms = parse_leaf(self.leaves[-1]).time_ms if self.leaves else 0
        magnitudes = dict(request.magnitudes) if wrong.magnitudes is None else wrong.magnitudes
        return Leaf(
            request.type,
            max(request.time_ms, last_ms) + wrong.time_shift_ms,
            wrong.actor or actor,
            request.commitment,
            MappingProxyType(dict(magnitudes)),
            None if wrong.drop_sealed else request.sealed or None,
        )

    def _meet(self, actor: str, pin: statement_pb2.Pin) -> None:
        seen = pin_from(pin)
        if self.misbehaviour.trusts_pins or seen is None:
            return
        if seen.size > len(self.leaves) or pin.root != self._tree.root(seen.size):
            raise RefusedError("LOG_PIN", "the pin is not in this tree", kind=Kind.DATA_LOSS, field="pin")
        self._unseen.discard(actor)

    def _consistency(self, pin: statement_pb2.Pin, size: int) -> list[bytes]:
        return self._tree.consistency(pin.size, size) if 0 < pin.size <= size else []

    def _shown_size(self) -> int:
        shown = self.misbehaviour.shown_size
        return len(self.leaves) if shown is None else shown

    def _demand_answering(self) -> None:
        if self.misbehaviour.silent:
            raise _silent()


class FakeAuditCaller:
    """A `garim.kit.ledger.AuditLog`: the log as one caller's stub.

    Args:
        audit: The log; a test may set another one to show this caller another tree.
        actor: The caller's SPIFFE id.
    """

    def __init__(self, audit: FakeAudit, actor: str) -> None:
        self.audit = audit
        self.actor = actor
        self.calls: list[str] = []

    def AppendEntry(self, request: pb.AppendEntryRequest, /) -> pb.AppendEntryResponse:  # noqa: N802 - the RPC's
        """Append one entry and prove it."""
        self.calls.append("AppendEntry")
        return self.audit.append(self.actor, request)

    def GetCheckpoint(  # noqa: N802 - the RPC's name
        self, request: pb.GetCheckpointRequest, /
    ) -> pb.GetCheckpointResponse:
        """Return the newest checkpoint."""
        self.calls.append("GetCheckpoint")
        return self.audit.checkpoint(self.actor, request)

    def GetInclusionProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetInclusionProofRequest, /
    ) -> pb.GetInclusionProofResponse:
        """Prove that a leaf lies in a tree."""
        self.calls.append("GetInclusionProof")
        return self.audit.inclusion(self.actor, request)

    def GetConsistencyProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetConsistencyProofRequest, /
    ) -> pb.GetConsistencyProofResponse:
        """Prove one tree a prefix of another."""
        self.calls.append("GetConsistencyProof")
        return self.audit.consistency(self.actor, request)

    def ListEntries(  # noqa: N802 - the RPC's name
        self, request: pb.ListEntriesRequest, /
    ) -> pb.ListEntriesResponse:
        """List leaves in order."""
        self.calls.append("ListEntries")
        return self.audit.entries(self.actor, request)


def _silent() -> RefusedError:
    return RefusedError("PEER_UNAVAILABLE", "the peer cannot be reached", kind=Kind.UNAVAILABLE)


def _out_of_range() -> RefusedError:
    return RefusedError("LOG_RANGE", "the tree has fewer leaves", field="size")
