"""Witnesses that governance demands: one that is away, a log that goes round them, a log that forks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.service import TransparencyLog
from garim.audit.witnesses import Answer, Witness
from garim.kit.ledger import Ledger
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.testing.clock import ManualClock
from garim.testing.governance import SampleGovernance
from garim.testing.witness import FakeWitness
from garim.translog.keys import Signer, VerifierKey
from ledger_support.core import CoreCaller, open_log_database
from ledger_support.mesh import CUSTODY, MESH, NOW_MS, ORIGIN, open_database, open_ledger

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclasses.dataclass
class WitnessedGovernance(SampleGovernance):
    """Governance that demands witnesses."""

    witnesses: tuple[str, ...] = ()

    def draft(self, **options: object) -> bytes:  # type: ignore[override]
        drawn = Governance.from_bytes(super().draft(**options))  # type: ignore[arg-type]
        log = drawn.log.model_copy(update={"witnesses": self.witnesses})
        return drawn.model_copy(update={"log": log}).to_bytes()


class Direct:
    """A witness without a network."""

    def __init__(self, witness: FakeWitness) -> None:
        self._witness = witness

    def __call__(self, body: bytes, /) -> Answer:
        return Answer(*self._witness.add_checkpoint(body))

    def abort(self) -> None:
        self._witness.stall.set()


class Scene:
    """Custody's ledger, a log, and the one witness that governance demands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW_MS)
        self.witness = FakeWitness("w.test/w", VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw()))
        vkeys = (self.witness.signer.key.vkey(),)
        self.governance = WitnessedGovernance(MESH, KEY, ORIGIN, NOW_MS, witnesses=vkeys)
        self.databases = [open_database(folder / "custody.db")]
        self.ledger = self.over(self.log("log.db"))
        self.ledger.begin(self.governance.versions[0].document)

    def log(self, name: str, *, asks: bool = True) -> TransparencyLog:
        database = open_log_database(self.folder / name)
        self.databases.append(database)
        return TransparencyLog(
            database,
            Signer.of_private_key(ORIGIN, KEY),
            mesh=MESH,
            genesis=bytes.fromhex(self.governance.genesis),
            clock=self.clock,
            wait_for=(),
            witnesses=[Witness(self.witness.signer.key, Direct(self.witness))] if asks else [],
        )

    def over(self, log: TransparencyLog) -> Ledger:
        return open_ledger(CoreCaller(log, CUSTODY), self.governance, CUSTODY, self.databases[0], self.clock)

    def refused(self, ledger: Ledger, key: str) -> RefusedError:
        with pytest.raises(RefusedError) as caught:
            ledger.append("identities-released", key.encode(), key=key)
        return caught.value


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    for one in made.databases:
        one.close()


def test_while_a_witness_is_away_nothing_is_released_and_the_answer_says_who(scene: Scene) -> None:
    scene.witness.answer = (503, b"")
    error = scene.refused(scene.ledger, "one")
    assert (error.reason, error.kind) == ("LOG_WITNESS_SILENT", Kind.UNAVAILABLE)
    assert "w.test/w" in error.message
    scene.witness.answer = None
    assert scene.ledger.append("identities-released", b"one", key="one").index == 1


def test_a_log_that_asks_no_witness_is_believed_by_nobody(scene: Scene) -> None:
    around = scene.over(scene.log("log.db", asks=False))
    error = scene.refused(around, "one")
    assert (error.reason, error.kind) == ("LOG_WITNESS", Kind.DATA_LOSS)


def test_a_log_that_a_witness_contradicts_is_a_fork(scene: Scene) -> None:
    scene.ledger.append("identities-released", b"one", key="one")
    custody = open_database(scene.folder / "fresh.db")
    scene.databases.append(custody)
    log = CoreCaller(scene.log("other.db"), CUSTODY)
    fresh = open_ledger(log, scene.governance, CUSTODY, custody, scene.clock)
    with pytest.raises(RefusedError, match="LOG_FORK"):
        fresh.begin(scene.governance.versions[0].document)
