"""What custody verifies for itself before it acts: documents, grants, proofs, policy, decisions."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import TypeVar

from garim.custody.core import Core
from garim.custody.gate import is_revoked
from garim.documents.claims import Document
from garim.documents.policy import Policy, judge
from garim.documents.policy_model import PolicyVersion
from garim.documents.verify import VerifiedDocument, verify_document
from garim.documents.x509 import TrustPolicy
from garim.kit.convert import Logged, Received
from garim.kit.governance_history import policies_between
from garim.kit.identity import service_id
from garim.statements.decisions import Action, Decision
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance, raw_key
from garim.statements.grants import Grant
from garim.statements.refusal import Kind, RefusedError, raise_all
from garim.translog.leaf import Leaf

GrantT = TypeVar("GrantT", bound=Grant)
ClaimsT = TypeVar("ClaimsT", bound=Document)


@dataclasses.dataclass(frozen=True, slots=True)
class LoggedGrant:
    """A grant that warrants has signed and logged; its scope is compared with the document elsewhere.

    Attributes:
        digest: SHA-256 of the payload, hexadecimal.
        leaf: Its log entry, whose time counts.
    """

    digest: str
    leaf: Leaf


def verified_document(
    core: Core, received: Received, kind: type[ClaimsT]
) -> tuple[VerifiedDocument, ClaimsT]:
    """Verify a document under the governance in force, as warrants does, and demand its kind.

    Args:
        core: Custody's means.
        received: The document as received.
        kind: The only kind of claims that counts here.

    Raises:
        RefusedError: Those of `verify_document`; `DOCUMENT_KIND`.
    """
    governance = core.governance.current()
    trust = TrustPolicy.of(governance)
    document = verify_document(
        received.content,
        media_type=received.media_type,
        open_document=core.open_document,
        trust=trust,
        audience=governance.audience,
        now_ms=core.clock.now_ms(),
        crls=core.crls(trust),
        revoked=lambda identity: is_revoked(core.database, identity.digest),
    )
    if not isinstance(document.claims, kind):
        raise RefusedError(
            "DOCUMENT_KIND", "the document is of another kind than this step needs", field="document"
        )
    return document, document.claims


def verified_grant(core: Core, logged: Logged, kind: type[GrantT], entry: str) -> tuple[GrantT, LoggedGrant]:
    """Verify a grant's signature, expiry and log proof; a grant alone is never enough.

    Args:
        core: Custody's means.
        logged: The grant with its proof.
        kind: Which grant.
        entry: The type it must be logged under.

    Raises:
        RefusedError: `STATEMENT_*`, `LOG_*`.
    """
    keys = core.governance.current().keys_of("warrants")
    grant = kind.verify(logged.statement, keys, mesh=core.mesh, now=core.clock.now_ms())
    payload = logged.statement.payload
    actor = service_id(core.mesh, "warrants")
    leaf = core.log.verify(payload, logged.proof, kind=entry, actor=actor)
    return grant, LoggedGrant(hashlib.sha256(payload).hexdigest(), leaf)


def demand_policy(core: Core, grant: Grant, claims: Document, logged_ms: int) -> None:
    """Refuse what the policy that the case was judged under does not allow, whatever warrants thought of it.

    Of a policy's dated versions the one at the grant's log entry counts; whether the document has expired is
    judged now.

    Args:
        core: Custody's means, with its own copy of the policy.
        grant: Names the policy that warrants judged by.
        claims: What the document says.
        logged_ms: Time of the grant's log entry.

    Raises:
        RefusedError: Those of `granted_policy` and of `policy.judge`, all together.
    """
    policy = granted_policy(core, grant, logged_ms)
    raise_all(judge(claims, policy, logged_ms, now_ms=core.clock.now_ms()))


def granted_policy(core: Core, grant: Grant, logged_ms: int) -> Policy:
    """Return the policy that a grant was judged under.

    The one that governance pins now, or one that it pinned between the document's issue and the grant's log
    entry: an old case keeps its policy, and a new one gets none that has been replaced before it began.

    Args:
        core: Custody's means.
        grant: Verified; its `document_issued` was compared with the document.
        logged_ms: Time of its log entry, milliseconds since the Unix epoch.

    Raises:
        RefusedError: `POLICY_OTHER`, `POLICY_MISSING`, and those of the file.
    """
    if grant.policy == core.governance.current().policy:
        return pinned_policy(core)
    if grant.policy not in policies_between(core.governance.history(), grant.document_issued, logged_ms):
        raise RefusedError(
            "POLICY_OTHER",
            "the grant was judged by another policy",
            kind=Kind.PRECONDITION,
            field="grant.policy",
        )
    return core.kept_policies(grant.policy)


def pinned_policy(core: Core) -> Policy:
    """Return custody's copy of the policy, if it is the one that governance pins.

    Raises:
        RefusedError: `POLICY_OTHER`, and those of the file.
    """
    policy = core.policy
    if policy.digest != core.governance.current().policy:
        raise RefusedError(
            "POLICY_OTHER",
            "custody's policy file is not the one that governance pins: deliver that one",
            kind=Kind.PRECONDITION,
        )
    return policy


def version_for(core: Core, grant: Grant, logged_ms: int) -> PolicyVersion:
    """Return the version, at the grant's log entry, of the policy that a grant was judged under.

    Args:
        core: Custody's means.
        grant: Verified.
        logged_ms: Time of its log entry, milliseconds since the Unix epoch.

    Raises:
        RefusedError: `POLICY_OTHER`, `POLICY_MISSING`, `POLICY_NOT_IN_FORCE`.
    """
    version = granted_policy(core, grant, logged_ms).at(logged_ms)
    if version is None:
        raise RefusedError("POLICY_NOT_IN_FORCE", "no policy was in force", kind=Kind.PRECONDITION)
    return version


def counting_reviewers(
    governance: Governance,
    decisions: Iterable[Envelope],
    subject: str,
    *,
    judged_under: int,
    at_ms: int,
) -> set[str]:
    """Return the reviewers of today whose approval of a disclosure counted when its grant was logged.

    A grant stays good while its case waits, so its reviewers' decisions are judged at its own time; whoever
    is no reviewer any more counts no more.

    Args:
        governance: The version in force; names the reviewers and their keys.
        decisions: What was received.
        subject: The digest that a decision must name.
        judged_under: The governance version that the grant names.
        at_ms: Time of the grant's log entry, milliseconds since the Unix epoch.
    """
    approved: set[str] = set()
    denied: set[str] = set()
    for envelope in decisions:
        for reviewer in governance.reviewers:
            decision = _decision(envelope, raw_key(reviewer.decision_key), governance, at_ms)
            if decision is None or decision.person != reviewer.person:
                continue
            named = (decision.subject, decision.governance)
            if named != (subject, judged_under) or not decision.lives_shortly(at_ms):
                continue
            action: Action = decision.action
            if action == "review-approve":
                approved.add(reviewer.person)
            elif action == "review-deny":
                denied.add(reviewer.person)
    return approved - denied


def counts_now(decision: Decision, governance: Governance, freeze: str | None, now_ms: int) -> bool:
    """Tell whether a decision counts under the governance version and the freeze now in force.

    Args:
        decision: Verified, its person known.
        governance: The version in force.
        freeze: Id of the freeze in force, or None.
        now_ms: Milliseconds since the Unix epoch.
    """
    return (
        decision.governance == governance.version
        and decision.freeze == freeze
        and decision.lives_shortly(now_ms)
    )


def _decision(envelope: Envelope, key: bytes, governance: Governance, now_ms: int) -> Decision | None:
    try:
        return Decision.verify(envelope, [key], mesh=governance.mesh, now=now_ms)
    except RefusedError:
        return None
