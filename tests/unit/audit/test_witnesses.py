"""No checkpoint is shown that a witness has not cosigned; who is silent is said; a fork is noticed."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.service import Appended, Entry, TransparencyLog
from garim.audit.witnesses import Answer, Witness
from garim.statements import governance
from garim.statements.refusal import Kind, RefusedError
from garim.testing.clock import ManualClock
from garim.testing.witness import FakeWitness
from garim.translog.checkpoint import Checkpoint, verify_checkpoint
from garim.translog.keys import Signer, VerifierKey
from garim.translog.leaf import ZERO_SALT, commitment
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import hash_leaf
from ledger_support.core import open_log_database
from ledger_support.mesh import CUSTODY, MESH, NOW_MS, ORIGIN

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG_KEY = VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw())
DOCUMENT = b"governance"


class Direct:
    """A witness without a network."""

    def __init__(self, witness: FakeWitness) -> None:
        self._witness = witness

    def __call__(self, body: bytes, /) -> Answer:
        return Answer(*self._witness.add_checkpoint(body))

    def abort(self) -> None:
        self._witness.stall.set()


@dataclasses.dataclass
class Watched:
    folder: Path
    fakes: list[FakeWitness]

    def __post_init__(self) -> None:
        self.clock = ManualClock(NOW_MS)
        self.log = self.open("log.db")

    def open(self, name: str) -> TransparencyLog:
        self.database = open_log_database(self.folder / name)
        return TransparencyLog(
            self.database,
            Signer.of_private_key(ORIGIN, KEY),
            mesh=MESH,
            genesis=bytes.fromhex(governance.digest(DOCUMENT)),
            clock=self.clock,
            wait_for=(),
            witnesses=[Witness(one.signer.key, Direct(one)) for one in self.fakes],
            timeout_s=1.0,
        )

    def begin(self) -> Appended:
        return self.append("genesis", commitment(ZERO_SALT, DOCUMENT))

    def append(self, kind: str, committed: bytes) -> Appended:
        return self.log.append(CUSTODY, Entry(kind, committed, self.clock.now_ms(), {}, None), None)

    def verified(self, note: bytes) -> Checkpoint:
        return verify_checkpoint(note, LOG_KEY, ORIGIN, witnesses=[one.signer.key for one in self.fakes])


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path, [FakeWitness(f"witness{one}.test/w", LOG_KEY) for one in (1, 2)])
    yield made
    made.log.close()
    made.database.close()


def refused(act: object) -> RefusedError:
    assert callable(act)
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value


def test_every_checkpoint_carries_all_cosignatures_and_proves_the_entry(watched: Watched) -> None:
    watched.begin()
    for number in range(5):
        done = watched.append("freeze", bytes([number]) * 32)
        checkpoint = watched.verified(done.checkpoint)
        verify_inclusion(hash_leaf(done.leaf), done.index, checkpoint.size, done.path, checkpoint.root)
    assert watched.verified(watched.log.newest(CUSTODY, None)[0]).size == 6


def test_a_silent_witness_is_named_and_nothing_is_proven_until_it_is_back(watched: Watched) -> None:
    watched.begin()
    watched.fakes[1].answer = (503, b"")
    error = refused(lambda: watched.append("freeze", b"a" * 32))
    assert (error.reason, error.kind) == ("LOG_WITNESS_SILENT", Kind.UNAVAILABLE)
    assert "witness2.test/w" in error.message
    assert refused(lambda: watched.log.newest(CUSTODY, None)).reason == "LOG_WITNESS_SILENT"
    watched.fakes[1].answer = None
    assert watched.append("freeze", b"a" * 32).index == 1


def test_a_witness_that_stalls_holds_nobody_longer_than_its_time(watched: Watched) -> None:
    watched.begin()
    watched.fakes[0].stall.clear()
    assert refused(lambda: watched.append("freeze", b"a" * 32)).reason == "LOG_WITNESS_SILENT"
    watched.fakes[0].stall.set()
    assert watched.append("freeze", b"a" * 32).index == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\n", b"\xe2\x80\x94 witness1.test/w AAAA\n", b"\xe2\x80\x94 other.test/w AAAAAAAAAA==\n"],
)
def test_an_answer_without_a_valid_cosignature_counts_as_silence(watched: Watched, answer: bytes) -> None:
    watched.begin()
    watched.fakes[0].answer = (200, answer)
    assert refused(lambda: watched.append("freeze", b"a" * 32)).reason == "LOG_WITNESS_SILENT"


def test_a_cosignature_of_another_checkpoint_counts_as_silence(watched: Watched) -> None:
    watched.begin()
    note = watched.log.newest(CUSTODY, None)[0]
    watched.fakes[0].answer = (200, note.rpartition(b"\n\n")[2])
    assert refused(lambda: watched.append("freeze", b"a" * 32)).reason == "LOG_WITNESS_SILENT"


def test_a_log_restored_from_before_a_cosigned_checkpoint_is_stopped(watched: Watched) -> None:
    watched.begin()
    watched.append("freeze", b"a" * 32)
    watched.database.close()
    watched.log = watched.open("restored.db")
    error = refused(watched.begin)
    assert (error.reason, error.kind) == ("LOG_WITNESS_CONFLICT", Kind.DATA_LOSS)


def test_a_log_that_shows_a_witness_another_history_is_stopped(watched: Watched) -> None:
    watched.begin()
    watched.append("freeze", b"a" * 32)
    watched.database.close()
    for one in watched.fakes:
        one.answer = (503, b"")
    watched.log = watched.open("forked.db")
    for committed in (b"x" * 32, b"y" * 32):
        refused(watched.begin)
        refused(lambda it=committed: watched.append("freeze", it))  # type: ignore[misc]
    for one in watched.fakes:
        one.answer = None
    assert refused(lambda: watched.append("freeze", b"z" * 32)).reason == "LOG_WITNESS_CONFLICT"


def test_a_restarted_log_asks_each_witness_how_far_it_has_seen(watched: Watched) -> None:
    watched.begin()
    watched.append("freeze", b"a" * 32)
    watched.log.close()
    watched.database.close()
    watched.log = watched.open("log.db")
    assert watched.append("freeze", b"b" * 32).index == 2


def test_appends_that_come_together_share_a_round(watched: Watched) -> None:
    watched.begin()
    before = watched.fakes[0].asked
    watched.fakes[0].stall.clear()
    threading.Timer(0.25, watched.fakes[0].stall.set).start()
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda one: watched.append("freeze", bytes([one]) * 32), range(16)))
    assert sorted(one.index for one in done) == list(range(1, 17))
    assert watched.fakes[0].asked - before <= 4
    for one in done:
        checkpoint = watched.verified(one.checkpoint)
        verify_inclusion(hash_leaf(one.leaf), one.index, checkpoint.size, one.path, checkpoint.root)
