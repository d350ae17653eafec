"""Another log in place of a lost one, around a custody for tests."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import SecondVault
from custody_support.vault import MESH
from garim.statements import governance
from garim.statements.governance import Governance
from garim.statements.model import CheckpointSeen
from garim.testing.audit import FakeAudit
from garim.testing.governance import key_text

SECOND = "log2.test.mesh/garim"
APPROVERS = ("ga-on", "na-rae")


class Succession:
    """A draft that names another log, and that log.

    Args:
        vault: Custody, which has used the former log.
        origin: The other log's name.
        changes: Members of the draft's log that differ.
    """

    def __init__(self, vault: SecondVault, origin: str = SECOND, **changes: Any) -> None:
        self.vault = vault
        self.key = Ed25519PrivateKey.generate()
        pins = [vault.ledger.checkpoint_seen(), vault.warrants.ledger.checkpoint_seen()]
        self.seen: CheckpointSeen = max((one for one in pins if one), key=lambda one: one.size)
        log = vault.own.current().log
        members = {"origin": origin, "key": key_text(self.key), "old_pins": (self.seen,), **changes}
        self.document = vault.next_governance(log=log.model_copy(update=members))
        self.digest = governance.digest(self.document)
        self.log = FakeAudit(
            MESH,
            Governance.from_bytes(self.document).log.origin,
            vault.clock,
            key=self.key,
            genesis=bytes.fromhex(self.digest),
        )

    def replace(self) -> None:
        """Put the other log where the former one answered."""
        self.vault.operator.audit = self.log
        self.vault.audit.audit = self.log

    def agree(self, *people: str) -> None:
        """Propose the draft and have custodians decide for it."""
        self.vault.govern(self.document, *(people or APPROVERS))

    def tell(self) -> None:
        """Let warrants learn of the version in force, as it does within seconds."""
        version = self.vault.own.version(self.vault.own.height)
        assert version is not None
        self.vault.operator.governance.chain.take(version)
        self.vault.warrants.audit.audit = self.log

    def done(self) -> Succession:
        """Do all of it, thawed."""
        self.replace()
        self.agree()
        self.tell()
        self.vault.thaw(*APPROVERS)
        return self
