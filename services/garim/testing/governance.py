"""A small governance with throwaway keys, signed by all of its custodians."""

from __future__ import annotations

import base64
import dataclasses

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.kit.governance import GovernanceChain, Version
from garim.kit.governance_history import InForce
from garim.statements import dsse, governance
from garim.statements.decisions import Decision
from garim.statements.governance import Custodian, Governance, LogIdentity, Terms
from garim.statements.model import CheckpointSeen

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def key_text(key: Ed25519PrivateKey) -> str:
    """Return the public key of `key` as governance writes it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


@dataclasses.dataclass
class SampleGovernance:
    """A `garim.kit.governance.GovernanceView` over versions that a test draws up.

    Args:
        mesh: Name of the mesh.
        log_key: The log's checkpoint key.
        origin: The log's name.
        now_ms: When version 1 is drawn up.
    """

    mesh: str
    log_key: Ed25519PrivateKey
    origin: str
    now_ms: int

    def __post_init__(self) -> None:
        self.custodian_keys = {name: Ed25519PrivateKey.generate() for name in ("ga-on", "na-rae", "da-som")}
        self.versions: list[Version] = []
        first = self.draft(version=1, previous=None)
        self.versions.append(self.signed(first, in_force=0))
        self.chain = GovernanceChain(self.mesh, self.genesis)
        self.chain.take(self.versions[0])

    @property
    def genesis(self) -> str:
        """SHA-256 of version 1, in hexadecimal."""
        return governance.digest(self.versions[0].document)

    def current(self) -> Governance:
        """Return the version in force."""
        return self.chain.current()

    def log_genesis(self) -> str:
        """Return the SHA-256 of the version that leaf 0 of the log commits to."""
        return self.chain.log_genesis()

    def carried_pins(self, origin: str) -> tuple[CheckpointSeen, ...] | None:
        """Return what was carried over from a log that another has succeeded."""
        return self.chain.carried_pins(origin)

    def version(self, number: int) -> Version | None:
        """Return the version of that number, if it is known."""
        return self.chain.version(number)

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order."""
        return self.chain.history()

    def draft(
        self,
        *,
        version: int,
        previous: str | None,
        log_key: Ed25519PrivateKey | None = None,
        origin: str | None = None,
        old_pins: tuple[CheckpointSeen, ...] = (),
    ) -> bytes:
        """Return the bytes of a version; nobody has signed it yet."""
        return Governance(
            format="garim-governance/1",
            mesh=self.mesh,
            version=version,
            previous=previous,
            issued=self.now_ms,
            audience="TEST 가림 메신저",
            environment="development",
            custodians=tuple(
                Custodian(person=name, decision_key=key_text(key), share_key="")
                for name, key in sorted(self.custodian_keys.items())
            ),
            quorum=2,
            reviewers=(
                governance.Reviewer(person="ma-ru", decision_key=key_text(Ed25519PrivateKey.generate())),
            ),
            review_quorum=1,
            services=(),
            log=LogIdentity(
                origin=origin or self.origin,
                key=key_text(log_key or self.log_key),
                witnesses=(),
                old_pins=old_pins,
            ),
            anchors=(),
            policy="00" * 32,
            terms=Terms(epoch=DAY_MS, retention=3 * DAY_MS, max_crl_age=DAY_MS),
        ).to_bytes()

    def signed(self, document: bytes, *, in_force: int, people: int | None = None) -> Version:
        """Return a version with its custodians' decisions.

        Args:
            document: Its bytes.
            in_force: Number of the version under which they decide; 0 for version 1.
            people: How many of them sign; all if None.
        """
        signers = list(self.custodian_keys.items())[:people]
        return Version(
            document, tuple(self._decision(document, name, key, in_force) for name, key in signers), None
        )

    def _decision(self, document: bytes, person: str, key: Ed25519PrivateKey, in_force: int) -> dsse.Envelope:
        return Decision(
            mesh=self.mesh,
            purpose="decision",
            issued=self.now_ms,
            expires=self.now_ms + HOUR_MS,
            checkpoint=None,
            action="governance",
            subject=governance.decision_subject(document),
            reason="",
            person=person,
            governance=in_force,
            freeze=None,
        ).sign(key.sign)
