"""The governance in force, as a service knows it: verified from the genesis digest, never lower again.

`GovernanceChain` holds verified versions; custody fills one from its own database. `GovernanceSource` fills
one from custody and, where it is given a store, keeps the versions, so that a restarted service refuses lower
ones.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from garim.api.custody.v1 import custody_pb2
from garim.kit.clock import Clock
from garim.kit.convert import envelope_from, proof_from
from garim.kit.governance_history import InForce
from garim.kit.identity import service_id
from garim.statements import dsse, governance
from garim.statements.governance import Governance
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.translog.keys import VerifierKey
from garim.translog.leaf import ZERO_SALT, parse_leaf
from garim.translog.proven import LogProof, verify_logged

REFRESH_MS = 3_000
ENTRY_GENESIS = "genesis"
ENTRY_VERSION = "governance"


class Version(NamedTuple):
    """A governance version as custody hands it out.

    Attributes:
        document: Its exact bytes.
        decisions: Custodians' decisions that put it in force.
        proof: That it is logged; None for version 1, which leaf 0 commits to, and for proposals.
    """

    document: bytes
    decisions: tuple[dsse.Envelope, ...]
    proof: LogProof | None


class GovernanceView(Protocol):
    """What the kit needs to know of governance."""

    def current(self) -> Governance:
        """Return the version in force.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE`.
        """
        ...

    def log_genesis(self) -> str:
        """Return the SHA-256 of the version that leaf 0 of the log in force commits to, in hexadecimal."""
        ...

    def carried_pins(self, origin: str) -> tuple[CheckpointSeen, ...] | None:
        """Return what was carried over from a log that another has succeeded; None for any other log."""
        ...


class CustodyGovernance(Protocol):
    """The one call of custody that is needed here; its generated stub fits."""

    def GetGovernance(  # noqa: N802 - named as the RPC is
        self, request: custody_pb2.GetGovernanceRequest, /
    ) -> custody_pb2.GetGovernanceResponse:
        """Return the versions from one on."""
        ...


class VersionStore(Protocol):
    """Where a service keeps the versions that it has verified."""

    def load(self) -> Sequence[Version]:
        """Return the kept versions in order."""
        ...

    def append(self, number: int, version: Version) -> None:
        """Keep one more version, durably; the same again changes nothing."""
        ...


class GovernanceChain:
    """Versions of one mesh's governance, each verified against the one before it; grows only.

    Args:
        mesh: Name of the mesh.
        genesis: SHA-256 of version 1 that the settings name, in hexadecimal.
    """

    def __init__(self, mesh: str, genesis: str) -> None:
        self._mesh = mesh
        self._genesis = genesis
        self._versions: tuple[tuple[Version, Governance], ...] = ()

    @property
    def height(self) -> int:
        """The number of the version in force; 0 while there is none."""
        return len(self._versions)

    def current(self) -> Governance:
        """Return the version in force.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE`: there is none yet.
        """
        if not self._versions:
            raise RefusedError(
                "GOVERNANCE_UNAVAILABLE", "no governance version is known yet", kind=Kind.UNAVAILABLE
            )
        return self._versions[-1][1]

    def version(self, number: int) -> Version | None:
        """Return the version of that number, if it is known."""
        return self._versions[number - 1][0] if 1 <= number <= len(self._versions) else None

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order."""
        return tuple(InForce(_since_ms(version, document), document) for version, document in self._versions)

    def log_genesis(self) -> str:
        """Return the SHA-256 of the version that leaf 0 of the log in force commits to.

        It is the first of the versions in a row that name this log: version 1, or the one that succeeded a
        lost log.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE`.
        """
        origin = self.current().log.origin
        first = self._versions[-1][0]
        for version, document in reversed(self._versions):
            if document.log.origin != origin:
                break
            first = version
        return governance.digest(first.document)

    def carried_pins(self, origin: str) -> tuple[CheckpointSeen, ...] | None:
        """Return what the version that ended a log carries of it; None for any other log.

        Args:
            origin: The log's name.
        """
        for (_, before), (_, after) in itertools.pairwise(self._versions):
            if before.log.origin == origin != after.log.origin:
                return after.log.old_pins
        return None

    def ahead(self, version: Version) -> GovernanceChain:
        """Return a chain as it will be once this next version, which nothing logs yet, is in force.

        Custody begins a succeeding log under it.

        Raises:
            RefusedError: As `check`.
        """
        chain = GovernanceChain(self._mesh, self._genesis)
        chain._versions = (*self._versions, (version, self.check(version)))
        return chain

    def check(self, version: Version) -> Governance:
        """Return the next version if it may follow, without taking it in.

        Args:
            version: What was received or drawn up.

        Raises:
            RefusedError: `GOVERNANCE_GENESIS`, `GOVERNANCE_QUORUM`, `GOVERNANCE_VERSION`, those of the
                document's fields; `GOVERNANCE_LOG`: it changes the log otherwise than by succession, or
                returns to one that was succeeded.
        """
        if not self._versions:
            first = governance.verify_genesis(version.document, version.decisions, self._genesis)
            if first.mesh != self._mesh:
                raise RefusedError("GOVERNANCE_GENESIS", "version 1 is of another mesh", field="mesh")
            return first
        last, current = self._versions[-1]
        proposed = governance.verify_next(current, last.document, version.document, version.decisions)
        if self.carried_pins(proposed.log.origin) is not None:
            raise RefusedError(
                "GOVERNANCE_LOG", "a log that was succeeded does not come back: name a new one", field="log"
            )
        return proposed

    def check_logged(self, version: Version) -> Governance:
        """Return the next version if it may follow and its proof shows that it is logged; takes nothing in.

        Raises:
            RefusedError: As `check`; `GOVERNANCE_LOG`: without proof; a reason of `verify_logged`.
        """
        document = self.check(version)
        if document.version > 1:
            self._demand_logged(version, document)
        return document

    def take(self, version: Version, *, logged: bool = True) -> Governance:
        """Take in the next version.

        Args:
            version: What was received.
            logged: Whether it must carry the proof that it is logged. Custody, which logs versions itself,
                may say no.

        Raises:
            RefusedError: As `check` or `check_logged`.
        """
        document = self.check_logged(version) if logged else self.check(version)
        self._versions = (*self._versions, (version, document))
        return document

    def _demand_logged(self, version: Version, document: Governance) -> None:
        if version.proof is None:
            raise RefusedError(
                "GOVERNANCE_LOG", "a version after the first needs its log proof", field="proof"
            )
        succeeds = document.log.origin != self.current().log.origin
        if succeeds and (version.proof.index != 0 or version.proof.salt != ZERO_SALT):
            raise RefusedError("GOVERNANCE_LOG", "a succeeding log begins with its version", field="proof")
        keys = log_keys(document)
        verify_logged(
            version.document,
            version.proof,
            log_key=keys.log_key,
            origin=keys.origin,
            witnesses=keys.witnesses,
            expect_type=ENTRY_GENESIS if succeeds else ENTRY_VERSION,
            expect_actor=service_id(self._mesh, "custody"),
        )


class GovernanceSource:
    """The governance in force, asked of custody every few seconds.

    While custody cannot be reached, the last verified version stays in force. A chain that does not verify,
    or that is not the one seen before, is refused: nothing is decided under it, and nothing under the former
    one until custody shows that one again.

    Args:
        custody: Custody's stub.
        mesh: Name of the mesh.
        genesis: SHA-256 of version 1 that the settings name, in hexadecimal.
        clock: For the time between two refreshes.
        store: Where versions are kept across restarts; None keeps them in memory alone.
        refresh_ms: Shortest time between two questions to custody, in milliseconds.

    Raises:
        RefusedError: The store's versions do not verify.
    """

    def __init__(
        self,
        custody: CustodyGovernance,
        *,
        mesh: str,
        genesis: str,
        clock: Clock,
        store: VersionStore | None = None,
        refresh_ms: int = REFRESH_MS,
    ) -> None:
        self._custody = custody
        self._clock = clock
        self._store = store
        self._refresh_ms = refresh_ms
        self._lock = threading.Lock()
        self._asked_ms: int | None = None
        self._refused: RefusedError | None = None
        self._chain = GovernanceChain(mesh, genesis)
        for version in store.load() if store else ():
            self._chain.take(version)

    def current(self) -> Governance:
        """Return the version in force, asking custody where the last answer is some seconds old.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE` (unavailable): none was ever verified and custody does not
                answer. `GOVERNANCE_FORK` (data loss): custody shows another chain than before. Those of
                `GovernanceChain.take`.
        """
        self._refresh_if_due()
        return self._chain.current()

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order.

        Raises:
            RefusedError: As `current`.
        """
        self._refresh_if_due()
        return self._chain.history()

    def log_genesis(self) -> str:
        """Return the SHA-256 of the version that leaf 0 of the log in force commits to, in hexadecimal.

        Raises:
            RefusedError: As `current`.
        """
        self._refresh_if_due()
        return self._chain.log_genesis()

    def carried_pins(self, origin: str) -> tuple[CheckpointSeen, ...] | None:
        """Return what was carried over from a log that another has succeeded; None for any other log.

        Raises:
            RefusedError: As `current`.
        """
        self._refresh_if_due()
        return self._chain.carried_pins(origin)

    def _refresh_if_due(self) -> None:
        # While one thread asks, the others go on with what was verified before; without anything they wait.
        if self._lock.acquire(blocking=self._chain.height == 0):
            try:
                now_ms = self._clock.monotonic_ms()
                if self._asked_ms is None or now_ms - self._asked_ms >= self._refresh_ms:
                    self._refresh()
            finally:
                self._lock.release()
        if self._refused is not None:
            raise self._refused

    def _refresh(self) -> None:
        versions = self._fetch()
        try:
            if versions is not None:
                self._take(versions)
        except RefusedError as error:
            self._refused = error
            return
        self._refused = self._refused if versions is None else None
        self._asked_ms = self._clock.monotonic_ms()

    def _fetch(self) -> list[Version] | None:
        """Return what custody shows; None where it is away and a version is known."""
        known = self._chain.height
        request = custody_pb2.GetGovernanceRequest(from_version=max(1, known))
        try:
            answer = self._custody.GetGovernance(request)
        except RefusedError as error:
            if error.kind is Kind.UNAVAILABLE and known:
                return None
            raise RefusedError(
                "GOVERNANCE_UNAVAILABLE", "custody does not answer: try again", kind=Kind.UNAVAILABLE
            ) from error
        return [_version(message) for message in answer.versions]

    def _take(self, versions: list[Version]) -> None:
        known = self._chain.height
        if known:
            self._demand_known(versions, known)
        for version in versions[1:] if known else versions:
            document = self._chain.take(version)
            if self._store:
                self._store.append(document.version, version)

    def _demand_known(self, versions: list[Version], known: int) -> None:
        last = self._chain.version(known)
        if not versions or last is None or versions[0].document != last.document:
            raise RefusedError(
                "GOVERNANCE_FORK",
                "custody shows another governance than the one verified before: ask the custodians",
                kind=Kind.DATA_LOSS,
            )


class LogKeys(NamedTuple):
    """How a version says the log is known, in the form that `verify_logged` takes."""

    log_key: VerifierKey
    origin: str
    witnesses: tuple[VerifierKey, ...]


def log_keys(document: Governance) -> LogKeys:
    """Return how a version says the log is known.

    Raises:
        RefusedError: `LOG_KEY`: a witness's key is malformed.
    """
    key = VerifierKey(document.log.origin, governance.raw_key(document.log.key))
    return LogKeys(key, document.log.origin, tuple(VerifierKey.parse(one) for one in document.log.witnesses))


def _since_ms(version: Version, document: Governance) -> int:
    # A version is drawn up before its quorum decides: it counts from its log entry on.
    return document.issued if version.proof is None else parse_leaf(version.proof.leaf).time_ms


def _version(message: custody_pb2.GovernanceVersion) -> Version:
    return Version(
        message.document,
        tuple(envelope_from(one) for one in message.decisions),
        proof_from(message.proof) if message.HasField("proof") else None,
    )
