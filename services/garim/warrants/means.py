"""What every use case works with, the policy in force, and the one that a case was judged by."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from garim.documents.envelope import OpenDocument
from garim.documents.policy import Policy, load_policy
from garim.documents.policy_model import PolicyVersion
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.governance_history import InForce, in_force_at
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.cases import Case
from garim.warrants.ports import Custody, GovernanceSource, Log, Messages, Store


class Policies:
    """The operator's policy file, which counts only while governance pins its digest, and those before it.

    Args:
        read: Returns the file's bytes.
        kept: Returns an earlier policy by its digest.
    """

    def __init__(self, read: Callable[[], bytes], kept: Callable[[str], Policy]) -> None:
        self._read = read
        self._kept = kept
        self._lock = threading.Lock()
        self._policy: Policy | None = None

    def in_force(self, governance: Governance) -> Policy:
        """Return the policy that governance pins; the file is read again where it is another one.

        Args:
            governance: The version in force.

        Raises:
            RefusedError: `POLICY_DIGEST`: the file is another one; nothing is judged. Those of `load_policy`.
        """
        with self._lock:
            if self._policy is None or self._policy.digest != governance.policy:
                self._policy = load_policy(self._read())
            if self._policy.digest != governance.policy:
                raise RefusedError(
                    "POLICY_DIGEST",
                    "the policy file is not the one that governance pins: deliver that one",
                    kind=Kind.PRECONDITION,
                )
            return self._policy

    def pinned_at(self, history: Sequence[InForce], instant_ms: int) -> Policy:
        """Return the policy that governance pinned at an instant.

        Args:
            history: The governance versions up to the one in force.
            instant_ms: Milliseconds since 1970.

        Raises:
            RefusedError: As `in_force`, where it is the same one still; `POLICY_MISSING`.
        """
        in_force, pinned = history[-1].document, in_force_at(history, instant_ms)
        return self.in_force(in_force) if pinned.policy == in_force.policy else self._kept(pinned.policy)


class CasePolicy(NamedTuple):
    """What a case is judged by, from its receipt to its end.

    Attributes:
        digest: SHA-256 of the policy file, hexadecimal.
        version: The operator's own rules in it, as they stood at the receipt.
    """

    digest: str
    version: PolicyVersion


@dataclasses.dataclass(frozen=True)
class Means:
    """What the use cases share.

    Attributes:
        mesh: Name of the mesh.
        governance: The version in force.
        policies: The operator's policies.
        store: The tables.
        log: The transparency log.
        custody: Calls to custody.
        messages: Calls to the message store.
        open_document: Opens documents, apart from any key.
        crls: Returns the revocation lists at hand under what governance trusts.
        sign: Signs bytes with the service's statement key.
        clock: Time.
        draw: Draws so many random bytes.
    """

    mesh: str
    governance: GovernanceSource
    policies: Policies
    store: Store
    log: Log
    custody: Custody
    messages: Messages
    open_document: OpenDocument
    crls: Callable[[TrustPolicy], Iterable[bytes]]
    sign: Callable[[bytes], bytes]
    clock: Clock
    draw: Callable[[int], bytes]

    def policy_of(self, case: Case) -> CasePolicy:
        """Return the policy that governance pinned when a case was received, whatever it pins now.

        It asks for the governance in force: never call it inside a transaction.

        Args:
            case: Which case.

        Raises:
            RefusedError: `POLICY_DIGEST`, `POLICY_MISSING`, `POLICY_NOT_IN_FORCE`.
        """
        policy = self.policies.pinned_at(self.governance.history(), case.received_ms)
        version = policy.at(case.received_ms)
        if version is None:
            raise RefusedError(
                "POLICY_NOT_IN_FORCE", "no policy was in force at that time", kind=Kind.PRECONDITION
            )
        return CasePolicy(policy.digest, version)
