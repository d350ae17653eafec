"""How a proposed governance version comes into force: logged, or as the first leaf of another log.

A lost or stuck log is succeeded by a version that names another one. It needs no answer of the lost log; it
freezes custody, whatever state the database is in: what a restored database lost cannot be read from a log
that is gone, so people have to say that this one is whole before anything opens.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

from garim.custody.core import Core
from garim.custody.deciding import counting, verified_decision
from garim.custody.genesis import OwnGovernance
from garim.custody.tables import deciding, restoring, stopping
from garim.custody.tables.stopping import Freeze
from garim.kit.governance import ENTRY_VERSION, GovernanceView, Version
from garim.kit.ledger import LoggedEntry
from garim.statements import dsse, governance, strict_json
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError

BeginLog = Callable[[GovernanceView, bytes], LoggedEntry]

ID_BYTES = 16


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
        begin: Logs a document as the first leaf of the log that the given governance names.
        lock: Held while a version is put in force.
    """

    core: Core
    own: OwnGovernance
    begin: BeginLog
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
        current = self.own.current()
        before = self.versions(self.own.height)[-1]
        proposed = governance.follow(current, before.document, document)
        succeeds = proposed.log.origin != current.log.origin
        if succeeds and self.own.carried_pins(proposed.log.origin) is not None:
            raise RefusedError("GOVERNANCE_LOG", "a log that was succeeded does not come back", field="log")
        if succeeds and not governance.carries(proposed.log.old_pins, self.core.log.checkpoint_seen()):
            raise RefusedError(
                "GOVERNANCE_LOG",
                "it does not carry what custody has pinned of the log in force: `garim governance draft`",
                field="log.old_pins",
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
            RefusedError: `GOVERNANCE_UNKNOWN`, `RECOVERY_PENDING`, `DECISION_*`, `GOVERNANCE_VERSION`,
                `GOVERNANCE_LOG`, and why the log refuses.
        """
        core = self.core
        with core.database.reading() as connection:
            document = deciding.proposed(connection).get(digest)
            if document is None or not self._succeeds(document):
                restoring.demand_checked(connection)
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

    def _succeeds(self, document: bytes) -> bool:
        """Tell whether a version names another log than the one in force."""
        return Governance.from_bytes(document).log.origin != self.own.current().log.origin

    def _put_in_force(self, digest: str, document: bytes, agreed: tuple[dsse.Envelope, ...]) -> None:
        if self._succeeds(document):
            self._succeed(digest, document, agreed)
        else:
            self._log(digest, document, agreed)
        with self.core.database.writing() as connection:
            deciding.clear_proposals(connection)

    def _log(self, digest: str, document: bytes, agreed: tuple[dsse.Envelope, ...]) -> None:
        self.own.check(Version(document, agreed, None))
        beside = strict_json.dump({"decisions": [dsse.to_json(one) for one in agreed]})
        entry = self.core.journal.append(ENTRY_VERSION, document, key=digest, beside=beside)
        # What has expired by the log's time, or was made under another freeze, does not count.
        agreed = self._agreed(digest, document, entry.time_ms)
        self.own.put_in_force(Version(document, agreed, entry.proof))

    def _succeed(self, digest: str, document: bytes, agreed: tuple[dsse.Envelope, ...]) -> None:
        entry = self.begin(self.own.ahead(Version(document, agreed, None)), document)
        # A leaf 0 that is found again, by a custody that died or was restored, may be older than a decision.
        agreed = self._agreed(digest, document, max(entry.time_ms, self.core.clock.now_ms()))
        version = Version(document, agreed, entry.proof)
        self.own.check_logged(version)
        with self.core.database.writing() as connection:
            if stopping.freeze_in_force(connection) is None:
                freeze = Freeze(self.core.draw(ID_BYTES).hex(), self.core.clock.now_ms(), "succession")
                stopping.begin_freeze(connection, freeze)
        self.own.put_in_force(version)
