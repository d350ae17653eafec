"""The governance document: who decides, under which keys, and what is trusted.

A version counts only if the quorum of the version before it signed it (version 1: every custodian), and never
after a higher one. Settings name the digest of version 1 alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from garim.statements import dsse
from garim.statements.decisions import Decision, subject_digest
from garim.statements.model import Base64, CheckpointSeen, Closed, Count, Digest, Millis, Name
from garim.statements.refusal import RefusedError

PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\Z")]
"""A raw Ed25519 public key in base64, in its one spelling: two spellings would hide a key with two roles."""


class Custodian(Closed):
    """A person whose shares and decisions open identities.

    Args:
        person: Name, as in the certificate's `person/custodian/<name>`.
        decision_key: Verifies their decisions.
        share_key: HPKE public key (ML-KEM-768 then X25519) to which their shares are sealed.
    """

    person: Name
    decision_key: PublicKey
    share_key: Base64


class Reviewer(Closed):
    """A member of the review committee.

    Args:
        person: Name, as in the certificate's `person/reviewer/<name>`.
        decision_key: Verifies their decisions.
    """

    person: Name
    decision_key: PublicKey


class ServiceKey(Closed):
    """A service instance's statement key.

    Args:
        service: Which service.
        instance: Which instance of it (a message store's name; otherwise the service's own).
        key: Verifies its statements.
    """

    service: Literal["messages", "warrants", "custody"]
    instance: Name
    key: PublicKey


class LogIdentity(Closed):
    """The transparency log and how it is known.

    Args:
        origin: Its name in checkpoints.
        key: Verifies its checkpoints.
        witnesses: Verifier keys (C2SP vkey strings) whose cosignature every checkpoint needs.
        old_pins: For a log that succeeds another: the old log's highest pinned checkpoints.
    """

    origin: Annotated[str, Field(pattern=r"^[!-*,-~]{1,200}\Z")]
    key: PublicKey
    witnesses: tuple[str, ...]
    old_pins: tuple[CheckpointSeen, ...]


class SubjectAttribute(Closed):
    """What the subject of a signer's certificate must name, exactly and once.

    Args:
        attribute: Which attribute (X.520).
        value: Its value.
    """

    attribute: Literal["title", "organizationalUnitName"]
    value: Annotated[str, Field(min_length=1, max_length=200)]


class DocumentAnchor(Closed):
    """A certification authority trusted for one role.

    Args:
        role: For which signature.
        certificate: Its certificate, PEM.
        authorities: The courts or agencies it may vouch for; empty: every court.
        crl_issuers: Further PEM certificates whose key may sign its revocation lists.
        policy: The certificate policy that binds the role, dotted, in the leaf and in every intermediate.
        subject: What the leaf's subject must name to hold the role, beside the policy or instead of it.
    """

    role: Literal["court", "chief-investigator"]
    certificate: str
    authorities: tuple[str, ...]
    crl_issuers: tuple[str, ...]
    policy: Annotated[str, Field(pattern=r"^[0-2](?:\.(?:0|[1-9][0-9]{0,63})){1,20}\Z")] | None
    subject: tuple[SubjectAttribute, ...]

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if self.policy is None and not self.subject:
            raise ValueError("something must bind the role: a policy, or what the subject names")
        if len({one.attribute for one in self.subject}) != len(self.subject):
            raise ValueError("an attribute of the subject is named twice")
        return self


class Terms(Closed):
    """Times that bind every service, in milliseconds.

    Args:
        epoch: Length of an epoch.
        retention: How long after an epoch's end its key lives.
        max_crl_age: Older revocation lists are refused.
    """

    epoch: Annotated[int, Field(ge=60_000, strict=True)]
    retention: Count
    max_crl_age: Count


class Governance(Closed):
    """One version of the governance document.

    Args:
        mesh: Name of the mesh.
        version: 1, then one more each time.
        previous: SHA-256 of the version before; null for version 1.
        issued: When it was drawn up.
        audience: The operator's name as documents address it.
        environment: Whether certificates marked for development count; no version changes it.
        custodians: Two to seven people, sorted by name.
        quorum: k: how many of them open something; more than one, fewer than all.
        reviewers: The review committee, sorted by name.
        review_quorum: How many reviewers decide a disclosure or lift a hold, which two must at least.
        services: Statement keys.
        log: The log.
        anchors: Whose certificates sign documents.
        policy: SHA-256 of the policy file in force.
        terms: Times.
    """

    format: Literal["garim-governance/1"]
    mesh: Name
    version: Annotated[int, Field(ge=1, strict=True)]
    previous: Digest | None
    issued: Millis
    audience: Annotated[str, Field(min_length=1, max_length=200)]
    environment: Literal["production", "development"]
    custodians: Annotated[tuple[Custodian, ...], Field(min_length=3, max_length=7)]
    quorum: Annotated[int, Field(ge=2, strict=True)]
    reviewers: tuple[Reviewer, ...]
    review_quorum: Annotated[int, Field(ge=1, strict=True)]
    services: tuple[ServiceKey, ...]
    log: LogIdentity
    anchors: tuple[DocumentAnchor, ...]
    policy: Digest
    terms: Terms

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        people = [one.person for one in self.custodians] + [one.person for one in self.reviewers]
        keys = [one.decision_key for one in self.custodians] + [one.decision_key for one in self.reviewers]
        if self.quorum >= len(self.custodians):
            raise ValueError("quorum must be smaller than the number of custodians")
        if self.review_quorum > len(self.reviewers):
            raise ValueError("review_quorum is larger than the number of reviewers")
        # One who could open the shares of two custodians would be two of the quorum.
        keys += [one.share_key for one in self.custodians if one.share_key]
        if len(set(people)) != len(people) or len(set(keys)) != len(keys):
            raise ValueError("a person or key holds two roles")
        if [one.person for one in self.custodians] != sorted(one.person for one in self.custodians):
            raise ValueError("custodians must be sorted by name")
        if len({(one.service, one.instance) for one in self.services}) != len(self.services):
            raise ValueError("a service instance has two keys")
        if (self.version == 1) != (self.previous is None):
            raise ValueError("version 1, and only version 1, has no previous version")
        return self

    def keys_of(self, service: str, instance: str | None = None) -> list[bytes]:
        """Return the raw statement keys pinned for a service, or for one instance of it."""
        return [
            raw_key(one.key)
            for one in self.services
            if one.service == service and (instance is None or one.instance == instance)
        ]

    def custodian(self, person: str) -> Custodian | None:
        """Return the custodian of that name, if there is one."""
        return next((one for one in self.custodians if one.person == person), None)

    def reviewer(self, person: str) -> Reviewer | None:
        """Return the reviewer of that name, if there is one."""
        return next((one for one in self.reviewers if one.person == person), None)


def raw_key(text: str) -> bytes:
    """Return the raw bytes of a base64 public key."""
    return base64.b64decode(text, validate=True)


def digest(document: bytes) -> str:
    """Return the digest by which a governance version is known."""
    return hashlib.sha256(document).hexdigest()


def decision_subject(document: bytes) -> str:
    """Return the subject digest of decisions about a governance version."""
    return subject_digest("governance", hashlib.sha256(document).digest())


def _approvals(
    document: bytes, decisions: Iterable[dsse.Envelope], judges: Governance, in_force: int
) -> dict[str, CheckpointSeen | None]:
    """Return who of the judging version's custodians approved, and the log as each had pinned it."""
    approved: dict[str, CheckpointSeen | None] = {}
    for envelope in decisions:
        for one in judges.custodians:
            try:
                decision = Decision.verify(envelope, [raw_key(one.decision_key)], mesh=judges.mesh, now=None)
            except RefusedError:
                continue
            if (
                decision.person == one.person
                and decision.action == "governance"
                and decision.governance == in_force
                and decision.subject == decision_subject(document)
            ):
                approved[one.person] = decision.checkpoint
    return approved


def verify_genesis(document: bytes, decisions: Iterable[dsse.Envelope], genesis: str) -> Governance:
    """Return version 1 if it is the one that settings name and all its custodians signed it.

    Args:
        document: Exact bytes of version 1.
        decisions: The custodians' decisions.
        genesis: SHA-256 that settings name.

    Raises:
        RefusedError: `GOVERNANCE_GENESIS` or `GOVERNANCE_QUORUM`, and those of `Governance.from_bytes`.
    """
    if digest(document) != genesis:
        raise RefusedError(
            "GOVERNANCE_GENESIS", "version 1 is not the one that settings name", field="genesis"
        )
    governance = Governance.from_bytes(document)
    if governance.version != 1:
        raise RefusedError("GOVERNANCE_GENESIS", "the first version must be version 1", field="version")
    if len(_approvals(document, decisions, governance, 0)) != len(governance.custodians):
        raise RefusedError("GOVERNANCE_QUORUM", "version 1 needs the signatures of all its custodians")
    return governance


def carries(pins: Iterable[CheckpointSeen], seen: CheckpointSeen | None) -> bool:
    """Tell whether carried pins hold somebody's pin of the former log, or a larger checkpoint of it.

    Args:
        pins: What the version that ended that log carries.
        seen: Somebody's pin of that log; None where they had none.
    """
    return seen is None or any(one == seen or one.size > seen.size for one in pins)


def follow(current: Governance, current_bytes: bytes, document: bytes) -> Governance:
    """Return the version that may follow `current` once its quorum has signed it.

    A version either keeps the log as it is known, or names another log with a key of its own and carries what
    was pinned of the former one.

    Args:
        current: The version in force.
        current_bytes: Its exact bytes.
        document: Exact bytes of the next version.

    Raises:
        RefusedError: `GOVERNANCE_VERSION` (not the next one, or another mesh's), `GOVERNANCE_ENVIRONMENT`,
            `GOVERNANCE_LOG`, and those of `Governance.from_bytes`.
    """
    proposed = Governance.from_bytes(document)
    if (
        proposed.version != current.version + 1
        or proposed.previous != digest(current_bytes)
        or proposed.mesh != current.mesh
    ):
        raise RefusedError(
            "GOVERNANCE_VERSION", "the version does not follow the one in force", field="version"
        )
    if proposed.environment != current.environment:
        raise RefusedError(
            "GOVERNANCE_ENVIRONMENT",
            "a mesh stays what it began as, production or development: begin another one",
            field="environment",
        )
    before, log = current.log, proposed.log
    if log.origin != before.origin:
        if log.key == before.key or not log.old_pins:
            raise RefusedError(
                "GOVERNANCE_LOG",
                "a log that succeeds another has a key of its own and carries the former one's highest pins",
                field="log",
            )
    elif (log.key, log.old_pins) != (before.key, before.old_pins):
        raise RefusedError(
            "GOVERNANCE_LOG",
            "a log keeps its key and what it carries of the one before: another log needs another origin",
            field="log",
        )
    return proposed


def verify_next(
    current: Governance, current_bytes: bytes, document: bytes, decisions: Iterable[dsse.Envelope]
) -> Governance:
    """Return the version that follows `current`, if its quorum signed it.

    Args:
        current: The version in force.
        current_bytes: Its exact bytes.
        document: Exact bytes of the next version.
        decisions: Decisions of the current version's custodians.

    Raises:
        RefusedError: Those of `follow`; `GOVERNANCE_QUORUM`; `GOVERNANCE_LOG`: another log that does not
            carry what one who signed had pinned of the former.
    """
    proposed = follow(current, current_bytes, document)
    approvals = _approvals(document, decisions, current, current.version)
    if len(approvals) < current.quorum:
        raise RefusedError("GOVERNANCE_QUORUM", f"needs {current.quorum} custodians of the version before it")
    succeeds = proposed.log.origin != current.log.origin
    if succeeds and not all(carries(proposed.log.old_pins, seen) for seen in approvals.values()):
        raise RefusedError(
            "GOVERNANCE_LOG",
            "the log's successor does not carry what a custodian who signed had pinned of the former log",
            field="log.old_pins",
        )
    return proposed
