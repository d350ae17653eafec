"""One suite for the audit service's core and for the fake that stands in for it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2 as pb
from garim.api.common.v1.statement_pb2 import Pin
from garim.statements.refusal import Kind, RefusedError
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.translog.checkpoint import Checkpoint, verify_checkpoint
from garim.translog.keys import VerifierKey
from garim.translog.leaf import ZERO_SALT, commitment, parse_leaf
from garim.translog.proofs import verify_consistency, verify_inclusion
from garim.translog.tree import hash_leaf
from ledger_support.core import CoreCaller, open_log, open_log_database
from ledger_support.mesh import CUSTODY, MESH, NOW_MS, ORIGIN, WARRANTS

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GOVERNANCE = b"governance"
WAIT = ("custody", "warrants")


class Caller(Protocol):
    def AppendEntry(self, request: pb.AppendEntryRequest, /) -> pb.AppendEntryResponse: ...  # noqa: N802
    def GetCheckpoint(self, request: pb.GetCheckpointRequest, /) -> pb.GetCheckpointResponse: ...  # noqa: N802
    def GetInclusionProof(  # noqa: N802
        self, request: pb.GetInclusionProofRequest, /
    ) -> pb.GetInclusionProofResponse: ...
    def GetConsistencyProof(  # noqa: N802
        self, request: pb.GetConsistencyProofRequest, /
    ) -> pb.GetConsistencyProofResponse: ...
    def ListEntries(self, request: pb.ListEntriesRequest, /) -> pb.ListEntriesResponse: ...  # noqa: N802


@dataclasses.dataclass
class Log:
    clock: ManualClock
    as_caller: Callable[[str], Caller]

    def entry(self, kind: str, body: bytes = b"body", **fields: Any) -> pb.AppendEntryRequest:
        salt = hashlib.sha256(body).digest()
        values: dict[str, Any] = {
            "type": kind,
            "commitment": commitment(salt, body),
            "time_ms": self.clock.now_ms(),
            **fields,
        }
        return pb.AppendEntryRequest(**values)

    def begin(self) -> pb.AppendEntryResponse:
        """Append genesis, and let both witnesses show their pins."""
        begun = self.as_caller(CUSTODY).AppendEntry(self.genesis())
        for actor in (CUSTODY, WARRANTS):
            self.as_caller(actor).GetCheckpoint(pb.GetCheckpointRequest(pin=pin_of(begun.checkpoint)))
        return begun

    def genesis(self) -> pb.AppendEntryRequest:
        return self.entry("genesis", commitment=commitment(ZERO_SALT, GOVERNANCE))


def parsed(note: bytes) -> Checkpoint:
    return verify_checkpoint(note, VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw()), ORIGIN)


def pin_of(note: bytes) -> Pin:
    checkpoint = parsed(note)
    return Pin(size=checkpoint.size, root=checkpoint.root)


def refusal(call: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value


@pytest.fixture(params=["fake", "core"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    clock = ManualClock(NOW_MS)
    genesis = hashlib.sha256(GOVERNANCE).hexdigest()
    if request.param == "fake":
        fake = FakeAudit(MESH, ORIGIN, clock, key=KEY, wait_for=WAIT, genesis=bytes.fromhex(genesis))
        yield Log(clock, fake.as_caller)
        return
    database = open_log_database(tmp_path / "audit.db")
    core = open_log(database, KEY, genesis, clock, WAIT)
    yield Log(clock, lambda actor: CoreCaller(core, actor))
    database.close()


def test_an_empty_log_takes_custodys_genesis_alone(log: Log) -> None:
    custody, warrants = log.as_caller(CUSTODY), log.as_caller(WARRANTS)
    assert refusal(lambda: warrants.AppendEntry(log.genesis())).reason == "LOG_WAITING_FOR_PINS"
    assert refusal(lambda: custody.AppendEntry(log.entry("freeze"))).reason == "LOG_WAITING_FOR_PINS"
    assert refusal(lambda: custody.AppendEntry(log.entry("genesis", b"other"))).reason == "LOG_ENTRY"
    sealed = log.genesis()
    sealed.sealed = b"governance is public"
    assert refusal(lambda: custody.AppendEntry(sealed)).reason == "LOG_ENTRY"
    assert refusal(lambda: custody.GetCheckpoint(pb.GetCheckpointRequest())).reason == "LOG_EMPTY"
    assert custody.AppendEntry(log.genesis()).index == 0
    assert (
        refusal(lambda: log.begin() and custody.AppendEntry(log.entry("genesis", b"other"))).reason
        == "LOG_ENTRY"
    )


def test_genesis_again_is_leaf_0_though_no_pin_was_seen(log: Log) -> None:
    begun = log.as_caller(CUSTODY).AppendEntry(log.genesis())
    again = log.as_caller(CUSTODY).AppendEntry(log.genesis())
    assert (again.index, again.leaf) == (0, begun.leaf)


def test_nothing_is_appended_before_both_pins_were_seen(log: Log) -> None:
    begun = log.as_caller(CUSTODY).AppendEntry(log.genesis())
    pin = pin_of(begun.checkpoint)
    for actor in (CUSTODY, WARRANTS):
        refused = refusal(lambda actor=actor: log.as_caller(actor).AppendEntry(log.entry("cancel")))  # type: ignore[misc]
        assert (refused.reason, refused.kind) == ("LOG_WAITING_FOR_PINS", Kind.UNAVAILABLE)
    custody, warrants = log.as_caller(CUSTODY), log.as_caller(WARRANTS)
    assert refusal(lambda: custody.AppendEntry(log.entry("cancel", pin=pin))).reason == "LOG_WAITING_FOR_PINS"
    assert refusal(lambda: warrants.AppendEntry(log.entry("cancel"))).reason == "LOG_WAITING_FOR_PINS"
    assert warrants.AppendEntry(log.entry("cancel", pin=pin)).index == 1


def test_a_pin_by_somebody_else_is_not_the_awaited_one(log: Log) -> None:
    begun = log.as_caller(CUSTODY).AppendEntry(log.genesis())
    pin = pin_of(begun.checkpoint)
    messages = log.as_caller(f"spiffe://{MESH}/service/messages")
    messages.GetCheckpoint(pb.GetCheckpointRequest(pin=pin))
    messages.GetCheckpoint(pb.GetCheckpointRequest(pin=pin))
    assert refusal(lambda: messages.AppendEntry(log.entry("cancel"))).reason == "LOG_WAITING_FOR_PINS"


def test_an_entry_is_proven_with_actor_time_and_magnitudes(log: Log) -> None:
    begun = log.begin()
    log.clock.advance(5)
    request = log.entry("keys-released", magnitudes={"keys": 7}, sealed=b"s", pin=pin_of(begun.checkpoint))
    answer = log.as_caller(CUSTODY).AppendEntry(request)
    checkpoint = parsed(answer.checkpoint)
    verify_inclusion(hash_leaf(answer.leaf), answer.index, checkpoint.size, answer.path, checkpoint.root)
    old = parsed(begun.checkpoint)
    verify_consistency(old.size, old.root, checkpoint.size, checkpoint.root, answer.consistency)
    leaf = parse_leaf(answer.leaf)
    assert (leaf.actor, leaf.type, leaf.time_ms) == (CUSTODY, "keys-released", NOW_MS + 5)
    assert (dict(leaf.magnitudes), leaf.sealed, leaf.commitment) == ({"keys": 7}, b"s", request.commitment)


def test_the_same_actor_type_and_commitment_is_the_same_leaf(log: Log) -> None:
    log.begin()
    first = log.as_caller(CUSTODY).AppendEntry(log.entry("cancel"))
    log.as_caller(CUSTODY).AppendEntry(log.entry("cancel", b"another"))
    log.clock.advance(3_600_000)
    again = log.as_caller(CUSTODY).AppendEntry(log.entry("cancel", time_ms=NOW_MS, magnitudes={"n": 9}))
    assert (again.index, again.leaf) == (first.index, first.leaf)
    checkpoint = parsed(again.checkpoint)
    assert checkpoint.size == 3
    verify_inclusion(hash_leaf(again.leaf), again.index, checkpoint.size, again.path, checkpoint.root)
    assert log.as_caller(WARRANTS).AppendEntry(log.entry("cancel")).index == 3
    assert log.as_caller(CUSTODY).AppendEntry(log.entry("lift")).index == 4


@pytest.mark.parametrize("skew_ms", [-120_000, 120_000])
def test_a_caller_two_minutes_off_is_refused_before_anything_is_appended(log: Log, skew_ms: int) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    refused = refusal(lambda: custody.AppendEntry(log.entry("cancel", time_ms=NOW_MS + skew_ms)))
    assert (refused.reason, refused.kind) == ("LOG_TIME", Kind.UNAVAILABLE)
    assert len(custody.ListEntries(pb.ListEntriesRequest()).leaves) == 1
    nearly = skew_ms - 1 if skew_ms > 0 else skew_ms + 1
    assert custody.AppendEntry(log.entry("cancel", time_ms=NOW_MS + nearly)).index == 1


def test_log_times_never_decrease(log: Log) -> None:
    log.begin()
    log.as_caller(CUSTODY).AppendEntry(log.entry("cancel", time_ms=NOW_MS + 60_000))
    later = log.as_caller(WARRANTS).AppendEntry(log.entry("cancel", time_ms=NOW_MS - 60_000))
    assert parse_leaf(later.leaf).time_ms == NOW_MS + 60_000


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "Not Kebab"},
        {"kind": "genesis"},
        {"kind": "cancel", "commitment": b"short"},
        {"kind": "cancel", "magnitudes": {"Who Is It": 1}},
        {"kind": "cancel", "magnitudes": {"n": 2**60}},
        {"kind": "cancel", "magnitudes": {f"n{number}": 1 for number in range(99)}},
        {"kind": "cancel", "sealed": bytes(2**20)},
    ],
)
def test_a_malformed_entry_is_refused_and_leaves_nothing(log: Log, fields: dict[str, Any]) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    assert refusal(lambda: custody.AppendEntry(log.entry(**fields))).reason == "LOG_ENTRY"
    assert len(custody.ListEntries(pb.ListEntriesRequest()).leaves) == 1


def test_only_custody_seals_into_its_leaves(log: Log) -> None:
    log.begin()
    assert (
        refusal(lambda: log.as_caller(WARRANTS).AppendEntry(log.entry("cancel", sealed=b"x"))).reason
        == "LOG_ENTRY"
    )


def test_people_and_back_ends_append_nothing(log: Log) -> None:
    log.begin()
    for path in ("person/custodian/ga-on", "backend/chat", "agency/one"):
        caller = log.as_caller(f"spiffe://{MESH}/{path}")
        refused = refusal(lambda caller=caller: caller.AppendEntry(log.entry("cancel")))  # type: ignore[misc]
        assert (refused.reason, refused.kind) == ("LOG_ACTOR", Kind.FORBIDDEN)


@pytest.mark.parametrize("pin", [Pin(size=1, root=bytes(32)), Pin(size=99, root=bytes(32))])
def test_a_pin_that_is_not_in_the_tree_is_refused_by_every_call(log: Log, pin: Pin) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    for call in (
        lambda: custody.AppendEntry(log.entry("cancel", pin=pin)),
        lambda: custody.GetCheckpoint(pb.GetCheckpointRequest(pin=pin)),
        lambda: custody.GetInclusionProof(pb.GetInclusionProofRequest(pin=pin, index=0, size=1)),
        lambda: custody.GetConsistencyProof(pb.GetConsistencyProofRequest(pin=pin, old_size=1, new_size=1)),
        lambda: custody.ListEntries(pb.ListEntriesRequest(pin=pin)),
    ):
        refused = refusal(call)
        assert (refused.reason, refused.kind) == ("LOG_PIN", Kind.DATA_LOSS)
    assert len(custody.ListEntries(pb.ListEntriesRequest()).leaves) == 1


@pytest.mark.parametrize("pin", [Pin(size=0, root=bytes(32)), Pin(size=1, root=b"short"), Pin(size=1)])
def test_a_malformed_pin_is_refused(log: Log, pin: Pin) -> None:
    log.begin()
    assert (
        refusal(lambda: log.as_caller(CUSTODY).GetCheckpoint(pb.GetCheckpointRequest(pin=pin))).reason
        == "LOG_PIN"
    )


def test_every_pair_of_sizes_is_proven_consistent_and_every_leaf_included(log: Log) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    notes = [custody.GetCheckpoint(pb.GetCheckpointRequest()).checkpoint]
    notes += [custody.AppendEntry(log.entry("cancel", b"%d" % n)).checkpoint for n in range(12)]
    leaves = custody.ListEntries(pb.ListEntriesRequest(page_size=100)).leaves
    sizes = [parsed(note) for note in notes]
    assert [one.size for one in sizes] == list(range(1, 14))
    for new in sizes:
        for old in sizes[: new.size]:
            request = pb.GetConsistencyProofRequest(old_size=old.size, new_size=new.size)
            verify_consistency(
                old.size, old.root, new.size, new.root, custody.GetConsistencyProof(request).path
            )
            asked = pb.GetInclusionProofRequest(index=old.size - 1, size=new.size)
            proof = custody.GetInclusionProof(asked)
            assert proof.leaf == leaves[old.size - 1]
            verify_inclusion(hash_leaf(proof.leaf), old.size - 1, new.size, proof.path, new.root)


def test_what_lies_outside_the_tree_is_refused(log: Log) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    for call in (
        lambda: custody.GetInclusionProof(pb.GetInclusionProofRequest(index=1, size=1)),
        lambda: custody.GetInclusionProof(pb.GetInclusionProofRequest(index=0, size=2)),
        lambda: custody.GetConsistencyProof(pb.GetConsistencyProofRequest(old_size=0, new_size=1)),
        lambda: custody.GetConsistencyProof(pb.GetConsistencyProofRequest(old_size=1, new_size=2)),
        lambda: custody.ListEntries(pb.ListEntriesRequest(start=2)),
    ):
        assert refusal(call).reason == "LOG_RANGE"


def test_leaves_are_listed_in_pages(log: Log) -> None:
    log.begin()
    custody = log.as_caller(CUSTODY)
    for number in range(5):
        custody.AppendEntry(log.entry("cancel", b"%d" % number))
    first = custody.ListEntries(pb.ListEntriesRequest(start=0, page_size=4))
    assert (len(first.leaves), first.next_start) == (4, 4)
    rest = custody.ListEntries(pb.ListEntriesRequest(start=4))
    assert (len(rest.leaves), rest.next_start) == (2, 6)
    end = custody.ListEntries(pb.ListEntriesRequest(start=6))
    assert (len(end.leaves), end.next_start) == (0, 6)
