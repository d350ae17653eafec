"""Human decisions: one statement type for every action, bound so that it counts once and only there."""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from garim.statements.labels import lp
from garim.statements.model import Count, Digest, EpochId, Millis, Name, Statement, payload_type

DECISION_LIFE_MS = 24 * 3_600_000
CLOCK_DIFFERENCE_MS = 120_000

Action = Literal[
    "approve",
    "deny",
    "review-approve",
    "review-deny",
    "lift",
    "cancel",
    "freeze",
    "thaw",
    "governance",
    "transfer",
    "accept",
]


class Decision(Statement):
    """What one person decided about one thing.

    Args:
        action: What is decided; `approve` and `deny` are custodians' on an unmasking, `review-*` reviewers'
            on a disclosure; `transfer` and `accept` hand a place in a dossier's quorum to a successor.
        subject: Digest of the thing, which covers all that the person saw.
        reason: Why, in the person's words; required to deny, lift, cancel and freeze. It
            stays at the operator.
        person: Who decides.
        governance: The governance version the person saw in force.
        freeze: Id of the freeze in force (what a thaw ends), or null.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("decision")

    purpose: Literal["decision"]
    expires: Millis
    action: Action
    subject: Digest
    reason: Annotated[str, Field(max_length=2000)]
    person: Name
    governance: Count
    freeze: EpochId | None

    def lives_shortly(self, at_ms: int) -> bool:
        """Tell whether the decision was made before a time and lives no longer than decisions may: a day.

        Args:
            at_ms: Milliseconds since the Unix epoch; two minutes are left to the clocks.
        """
        return (
            self.issued <= at_ms + CLOCK_DIFFERENCE_MS and 0 < self.expires - self.issued <= DECISION_LIFE_MS
        )


def subject_digest(kind: str, *fields: bytes) -> str:
    """Return the digest that a decision names as its subject.

    Args:
        kind: What sort of thing it is, so that no two sorts share a digest.
        fields: All that the person sees and answers for, in the order the kind states.
    """
    data = lp(b"garim/v1/decision/" + kind.encode()) + b"".join(lp(field) for field in fields)
    return hashlib.sha256(data).hexdigest()
