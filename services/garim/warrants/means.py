"""What every use case works with, and the policy in force."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable

from garim.documents.envelope import OpenDocument
from garim.documents.policy import Policy, load_policy
from garim.documents.policy_model import PolicyVersion
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.ports import Custody, GovernanceSource, Log, Messages, Store


class Policies:
    """The operator's policy file, which counts only while governance pins its digest.

    Args:
        read: Returns the file's bytes.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
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


@dataclasses.dataclass(frozen=True)
class Means:
    """What the use cases share.

    Attributes:
        mesh: Name of the mesh.
        governance: The version in force.
        policies: The operator's policy.
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

    def version_at(self, policy: Policy, instant_ms: int) -> PolicyVersion:
        """Return the policy's version in force at an instant.

        Args:
            policy: The policy.
            instant_ms: Milliseconds since 1970.

        Raises:
            RefusedError: `POLICY_NOT_IN_FORCE`.
        """
        version = policy.at(instant_ms)
        if version is None:
            raise RefusedError(
                "POLICY_NOT_IN_FORCE", "no policy was in force at that time", kind=Kind.PRECONDITION
            )
        return version
