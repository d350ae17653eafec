"""How a proposed governance version comes into force."""

from __future__ import annotations

import dataclasses
import threading

from garim.custody.core import Core
from garim.custody.deciding import counting, verified_decision
from garim.custody.genesis import OwnGovernance
from garim.custody.tables import deciding, restoring
from garim.kit.governance import ENTRY_VERSION, Version
from garim.statements import dsse, governance, strict_json
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed version with the decisions on it.

    Attributes:
        document: Its exact bytes.
        decisions: Custodians' decisions so far.
    """

    document: bytes
    decisions: tuple[dsse.Envelope, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Governing:
    """Takes proposals and decisions on them.

    Args:
        core: Custody's means.
        own: The chain.
        lock: Held while a version is put in force.
    """

    core: Core
    own: OwnGovernance
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def versions(self, first: int) -> list[Version]:
        """Return the versions in force from one on, in order."""
        numbers = range(max(first, 1), self.own.height + 1)
        return [one for number in numbers if (one := self.own.version(number)) is not None]

    def propose(self, document: bytes) -> str:
        """Keep a proposed next version; returns its digest.

        Args:
            document: Its exact bytes.

        Raises:
            RefusedError: `GOVERNANCE_VERSION`, `GOVERNANCE_LOG`, and those of the document's fields.
        """
        proposed = Governance.from_bytes(document)
        before = self.versions(self.own.height)[-1]
        if (
            proposed.version != self.own.current().version + 1
            or proposed.mesh != self.core.mesh
            or proposed.previous != governance.digest(before.document)
        ):
            raise RefusedError(
                "GOVERNANCE_VERSION", "it does not follow the version in force", field="version"
            )
        if proposed.log.origin != self.own.current().log.origin:
            raise RefusedError(
                "GOVERNANCE_LOG",
                "a log is not succeeded while custody runs: see the operator's guide",
                field="log",
            )
        digest = governance.digest(document)
        with self.core.database.writing() as connection:
            deciding.propose(connection, digest, document)
        return digest

    def proposals(self) -> list[Proposal]:
        """Return the proposals that wait for decisions."""
        in_force = self.own.version(self.own.height)
        previous = None if in_force is None else governance.digest(in_force.document)
        with self.core.database.reading() as connection:
            return [
                Proposal(document, tuple(deciding.decisions(connection, digest).values()))
                for digest, document in deciding.proposed(connection).items()
                if Governance.from_bytes(document).previous == previous
            ]

    def decide(self, digest: str, envelope: dsse.Envelope, caller: str) -> tuple[int, int]:
        """Record a custodian's decision; the quorum's put the version in force once it is logged.

        Args:
            digest: SHA-256 of the proposed document.
            envelope: The signed decision.
            caller: Name in the caller's certificate.

        Returns:
            Decisions that count, and how many are needed.

        Raises:
            RefusedError: `GOVERNANCE_UNKNOWN`, `RECOVERY_PENDING`, `DECISION_*`, `GOVERNANCE_VERSION`, and
                why the log refuses.
        """
        core = self.core
        with core.database.reading() as connection:
            restoring.demand_checked(connection)
            document = deciding.proposed(connection).get(digest)
        if document is None and self._is_in_force(digest):
            # The answer to the decision that put it in force was lost.
            needed = self.own.current().quorum
            return needed, needed
        if document is None:
            raise RefusedError(
                "GOVERNANCE_UNKNOWN", "nothing of this digest is proposed", kind=Kind.NOT_FOUND
            )
        subject = governance.decision_subject(document)
        verified_decision(core, envelope, caller, ("governance",), subject)
        with core.database.writing() as connection:
            deciding.add_decision(connection, digest, caller, envelope)
        # One version at a time: two that both have a quorum must not both be logged.
        with self.lock:
            agreed = self._agreed(digest, document, core.clock.now_ms())
            needed = self.own.current().quorum
            if len(agreed) >= needed:
                self._put_in_force(digest, document, agreed)
        return len(agreed), needed

    def _is_in_force(self, digest: str) -> bool:
        version = self.own.version(self.own.height)
        return version is not None and governance.digest(version.document) == digest

    def _agreed(self, digest: str, document: bytes, at_ms: int) -> tuple[dsse.Envelope, ...]:
        """Return the decisions on a proposal that count at a time."""
        subject = governance.decision_subject(document)
        with self.core.database.reading() as connection:
            kept = deciding.decisions(connection, digest)
            return tuple(counting(connection, self.core, kept, "governance", subject, at_ms).values())

    def _put_in_force(self, digest: str, document: bytes, agreed: tuple[dsse.Envelope, ...]) -> None:
        self.own.check(Version(document, agreed, None))
        beside = strict_json.dump({"decisions": [dsse.to_json(one) for one in agreed]})
        entry = self.core.journal.append(ENTRY_VERSION, document, key=digest, beside=beside)
        # What has expired by the log's time, or was made under another freeze, does not count.
        agreed = self._agreed(digest, document, entry.time_ms)
        self.own.put_in_force(Version(document, agreed, entry.proof))
        with self.core.database.writing() as connection:
            deciding.clear_proposals(connection)
