"""The operator's dated policy: what may be asked, how much of it, and who must look at it.

Offences and warrant types are judged as they stood at the document's issue, the operator's own rules by the
version in force when it was received.
"""

from __future__ import annotations

import dataclasses
import hashlib

import pyrage

from garim.documents.claims import (
    Disclosure,
    Document,
    EmergencyPreservation,
    Keeping,
    Span,
    Supplementary,
)
from garim.documents.closed_yaml import parse_mapping
from garim.documents.policy_model import Limits, Offence, PolicyFile, PolicyVersion, Rule, WarrantType
from garim.statements.refusal import Kind, RefusedError

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS


@dataclasses.dataclass(frozen=True)
class Policy:
    """A loaded policy file.

    Attributes:
        digest: SHA-256 of the file's bytes in hexadecimal; governance pins it.
        file: What it says.
    """

    digest: str
    file: PolicyFile

    @property
    def versions(self) -> tuple[PolicyVersion, ...]:
        """The operator's own rules, in order of time."""
        return self.file.versions

    def offence(self, offence_id: str, instant_ms: int) -> Offence | None:
        """Return an offence if it is listed at an instant (milliseconds since 1970)."""
        found = (one for one in self.file.offences if one.id == offence_id and one.listed(instant_ms))
        return next(found, None)

    def warrant_type(self, type_id: str, instant_ms: int) -> WarrantType | None:
        """Return a type of warrant if it is known at an instant (milliseconds since 1970)."""
        found = (one for one in self.file.warrant_types if one.id == type_id and one.holds(instant_ms))
        return next(found, None)

    def rule(self, rule_id: str) -> Rule:
        """Return the legal basis of what documents are judged by."""
        return next(one for one in self.file.rules if one.id == rule_id)

    def at(self, instant_ms: int) -> PolicyVersion | None:
        """Return the version in force at an instant (milliseconds since 1970), if there was one."""
        return next((one for one in reversed(self.versions) if one.valid_from_ms <= instant_ms), None)


def load_policy(data: bytes) -> Policy:
    """Read a policy file.

    Args:
        data: Its bytes: YAML without aliases, tags or repeated keys.

    Raises:
        RefusedError: `POLICY_SYNTAX`, or `FIELD_UNKNOWN`, `FIELD_MISSING`, `FIELD_VALUE` with its path.
    """
    return Policy(hashlib.sha256(data).hexdigest(), PolicyFile.from_json(parse_mapping(data)))


def judge(
    claims: Document, policy: Policy, received_ms: int, *, now_ms: int | None = None
) -> list[RefusedError]:
    """Return every reason why policy refuses what a document says; none of them depends on stored data.

    Args:
        claims: What the document says; its signatures and its addressee are `verify_document`'s.
        policy: The operator's policy.
        received_ms: When the document was received, milliseconds since 1970; the policy of then judges.
        now_ms: When its expiry is judged; at its receipt where it is not given.
    """
    expiry_ms = received_ms if now_ms is None else now_ms
    now = policy.at(received_ms)
    if policy.at(claims.issued_ms) is None or now is None:
        return [RefusedError("POLICY_NOT_IN_FORCE", "no policy was in force at that time", field="issued_at")]
    reasons = []
    if claims.issued_ms >= received_ms:
        reasons.append(
            RefusedError(
                "ISSUED_AFTER_RECEIPT", "the document was received before its issue", field="issued_at"
            )
        )
    if isinstance(claims, Disclosure):
        reasons += _judge_disclosure(claims, policy, now, expiry_ms)
    elif isinstance(claims, Supplementary):
        reasons += _judge_supplementary(claims, now)
    elif isinstance(claims, Keeping):
        reasons += _judge_keeping(claims, now, expiry_ms)
    return reasons


def _judge_disclosure(
    claims: Disclosure, policy: Policy, now: PolicyVersion, expiry_ms: int
) -> list[RefusedError]:
    reasons = []
    if now.refuse_all is not None:
        reasons.append(
            RefusedError("REFUSE_ALL", f"{now.refuse_all.ko} / {now.refuse_all.en}", kind=Kind.PRECONDITION)
        )
    if policy.offence(claims.offence, claims.issued_ms) is None:
        reasons.append(
            RefusedError(
                "OFFENCE_NOT_LISTED", "conversations are not given for this offence", field="offence"
            )
        )
    warrant_type = policy.warrant_type(claims.warrant_type, claims.issued_ms)
    if warrant_type is None or "stored" not in warrant_type.reaches:
        reasons.append(
            RefusedError(
                "WARRANT_TYPE_REFUSED",
                "this type of warrant does not reach stored messages",
                field="warrant_type",
            )
        )
    if claims.expires_ms is not None and expiry_ms >= claims.expires_ms:
        reasons.append(RefusedError("DOCUMENT_EXPIRED", "the document has expired", field="expires_at"))
    longest_days = now.limits.period_days
    if warrant_type is not None and warrant_type.duration is not None:
        longest_days = min(longest_days, warrant_type.duration.days)
    reasons += _judge_scope(claims.subjects, claims.period, claims.issued_ms, now.limits, longest_days)
    return reasons + _judge_recipient(claims.recipient)


def _judge_scope(
    subjects: tuple[object, ...], period: Span, issued_ms: int, limits: Limits, longest_days: int
) -> list[RefusedError]:
    reasons = []
    if not subjects:
        reasons.append(RefusedError("SUBJECTS_MISSING", "name the subjects", field="subjects"))
    if len(subjects) > limits.subjects:
        reasons.append(
            RefusedError("SUBJECTS_TOO_MANY", f"name {limits.subjects} subjects at most", field="subjects")
        )
    if period.end_ms > issued_ms:
        reasons.append(
            RefusedError("PERIOD_NOT_PAST", "the period must have ended before the issue", field="period.to")
        )
    if period.end_ms - period.start_ms > longest_days * DAY_MS:
        reasons.append(
            RefusedError("PERIOD_TOO_LONG", f"ask for {longest_days} days at most", field="period")
        )
    return reasons


def _judge_recipient(recipient: str) -> list[RefusedError]:
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        return [
            RefusedError("RECIPIENT_UNREADABLE", "name an age X25519 recipient (age1…)", field="recipient")
        ]
    return []


def _judge_supplementary(claims: Supplementary, now: PolicyVersion) -> list[RefusedError]:
    reasons = []
    if now.refuse_all is not None:
        reasons.append(
            RefusedError("REFUSE_ALL", f"{now.refuse_all.ko} / {now.refuse_all.en}", kind=Kind.PRECONDITION)
        )
    if len(claims.identities) > now.limits.pseudonyms:
        reasons.append(
            RefusedError(
                "PSEUDONYMS_TOO_MANY", f"name {now.limits.pseudonyms} pseudonyms at most", field="identities"
            )
        )
    return reasons + _judge_recipient(claims.recipient)


def _judge_keeping(claims: Keeping, now: PolicyVersion, expiry_ms: int) -> list[RefusedError]:
    limits = now.limits
    reasons = _judge_scope(claims.subjects, claims.period, claims.issued_ms, limits, limits.period_days)
    if claims.until_ms - claims.issued_ms > limits.preservation_days * DAY_MS:
        reasons.append(
            RefusedError(
                "PRESERVATION_TOO_LONG",
                f"preserve for {limits.preservation_days} days at most",
                field="until",
            )
        )
    if (
        isinstance(claims, EmergencyPreservation)
        and claims.until_ms - claims.issued_ms > now.emergency.hours * HOUR_MS
    ):
        hours = now.emergency.hours
        reasons.append(
            RefusedError(
                "EMERGENCY_TOO_LONG", f"an emergency request lasts {hours} hours at most", field="until"
            )
        )
    if expiry_ms >= claims.until_ms:
        reasons.append(RefusedError("DOCUMENT_EXPIRED", "the order has ended", field="until"))
    return reasons


@dataclasses.dataclass(frozen=True)
class ForecastFigures:
    """What a forecast says about a document's scope; reviewers alone may see it.

    Attributes:
        bystanders: Upper bound of accounts that are not subjects.
        overlaps: Whether the scope overlaps an earlier dossier's.
    """

    bystanders: int
    overlaps: bool


def review_causes(claims: Disclosure, forecast: ForecastFigures, version: PolicyVersion) -> list[str]:
    """Return why reviewers must decide on a disclosure; empty where policy lets it pass.

    Args:
        claims: What the document says.
        forecast: What the store counted.
        version: The policy in force at receipt.

    Raises:
        RefusedError: `SCOPE_REFUSED`: over the budget. The one reason for all refusals that rest on stored
            data, so that it tells nothing about them.
    """
    if forecast.bystanders > version.budgets.bystanders:
        raise RefusedError("SCOPE_REFUSED", "the scope is refused; ask for less", kind=Kind.PRECONDITION)
    review = version.review
    causes = {
        "ALWAYS": review.always,
        "BYSTANDERS": forecast.bystanders > review.bystanders_over,
        "SUBJECTS": len(claims.subjects) > review.subjects_over,
        "OVERLAP": review.overlap and forecast.overlaps,
    }
    return [cause for cause, given in causes.items() if given]
