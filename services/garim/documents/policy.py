"""The operator's dated policy: what may be asked, how much of it, and who must look at it.

A file of versions, each in force from a date on. Offences and warrant types are judged by the version in
force at the document's issue, everything else by the one in force when it was received.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Annotated, Literal, Self

import pyrage
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from garim.documents.claims import Claims, Disclosure, Preservation, Span, Supplementary
from garim.documents.closed_yaml import parse_mapping
from garim.documents.fields import Instant, Prose
from garim.statements.model import Closed, Count
from garim.statements.refusal import Kind, RefusedError

DAY_MS = 24 * 60 * 60 * 1000
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}\Z")]
Positive = Annotated[int, Field(ge=1, strict=True)]


class Words(Closed):
    """One text in both languages.

    Attributes:
        ko: Korean.
        en: English.
    """

    ko: Prose
    en: Prose


class Offence(Closed):
    """An offence for which conversations may be asked.

    Attributes:
        id: What a document's `offence` names.
        label: For people.
        statutes: Where the law has it; at least one.
    """

    id: Id
    label: Words
    statutes: Annotated[tuple[Prose, ...], Field(min_length=1)]


class WarrantType(Closed):
    """A kind of warrant.

    Attributes:
        id: What a document's `warrant_type` names.
        label: For people.
        reaches: Which data it reaches; stored conversations need `stored`.
        statutes: Where the law has it; at least one.
    """

    id: Id
    label: Words
    reaches: tuple[Literal["stored", "live", "records"], ...]
    statutes: Annotated[tuple[Prose, ...], Field(min_length=1)]


class Limits(Closed):
    """The widest scope a document may have.

    Attributes:
        period_days: Longest period, in days of 24 hours.
        subjects: Most subjects.
        preservation_days: Longest time from issue to the end of a preservation order.
        pseudonyms: Most pseudonyms in one supplementary request.
    """

    period_days: Positive
    subjects: Positive
    preservation_days: Positive
    pseudonyms: Positive


class Budgets(Closed):
    """What is refused however well it is signed.

    Attributes:
        bystanders: Most bystanders one disclosure may touch, by forecast.
        unmaskings: Most identities that one dossier, with those that overlap it, may give up.
    """

    bystanders: Positive
    unmaskings: Count


class Deadlines(Closed):
    """Times after which something ends.

    Attributes:
        unmask_days: From a dossier's close to the destruction of its key.
        review_hours: From a document's receipt to the reviewers' decision.
        unmask_request_days: From a second request to the custodians' decision.
    """

    unmask_days: Positive
    review_hours: Positive
    unmask_request_days: Positive


class Review(Closed):
    """When the committee must decide; how many of it, governance says.

    Attributes:
        always: Every disclosure.
        bystanders_over: Forecasts of more bystanders than this.
        subjects_over: Documents with more subjects than this.
        overlap: Scopes that overlap an earlier dossier's.
    """

    always: Annotated[bool, Field(strict=True)]
    bystanders_over: Count
    subjects_over: Count
    overlap: Annotated[bool, Field(strict=True)]


class PolicyVersion(Closed):
    """The policy from one date on.

    Attributes:
        id: Its name.
        valid_from_ms: `valid_from`: its first instant, milliseconds since 1970.
        refuse_all: The declared refusal of every disclosure, in words; null where warrants are answered.
        offences: The list of offences.
        warrant_types: The kinds of warrant known; those that reach stored data may be used.
    """

    id: Id
    valid_from_ms: Annotated[Instant, Field(alias="valid_from")]
    refuse_all: Words | None
    offences: tuple[Offence, ...]
    warrant_types: tuple[WarrantType, ...]
    limits: Limits
    budgets: Budgets
    deadlines: Deadlines
    review: Review

    @model_validator(mode="after")
    def _once(self) -> Self:
        for entries in (self.offences, self.warrant_types):
            if len({entry.id for entry in entries}) != len(entries):
                raise PydanticCustomError("policy_ids", "an id stands twice in one list")
        return self


class _File(Closed):
    format: Literal["garim-policy/1"]
    jurisdiction: Annotated[str, Field(pattern=r"^[a-z]{2}\Z")]
    versions: Annotated[tuple[PolicyVersion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        starts = [version.valid_from_ms for version in self.versions]
        if starts != sorted(set(starts)) or len({version.id for version in self.versions}) != len(starts):
            raise PydanticCustomError("policy_order", "versions must be in order of time, each id once")
        return self


@dataclasses.dataclass(frozen=True)
class Policy:
    """A loaded policy file.

    Attributes:
        digest: SHA-256 of the file's bytes in hexadecimal; governance pins it.
        jurisdiction: Two-letter country.
        versions: In order of time.
    """

    digest: str
    jurisdiction: str
    versions: tuple[PolicyVersion, ...]

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
    file = _File.from_json(parse_mapping(data))
    return Policy(hashlib.sha256(data).hexdigest(), file.jurisdiction, file.versions)


def judge(claims: Claims, policy: Policy, received_ms: int) -> list[RefusedError]:
    """Return every reason why policy refuses what a document says; none of them depends on stored data.

    Args:
        claims: What the document says; its signatures and its addressee are `verify_document`'s.
        policy: The operator's policy.
        received_ms: When the document was received, milliseconds since 1970.
    """
    then, now = policy.at(claims.issued_ms), policy.at(received_ms)
    if then is None or now is None:
        return [RefusedError("POLICY_NOT_IN_FORCE", "no policy was in force at that time", field="issued_at")]
    reasons = []
    if claims.issued_ms >= received_ms:
        reasons.append(
            RefusedError(
                "ISSUED_AFTER_RECEIPT", "the document was received before its issue", field="issued_at"
            )
        )
    if isinstance(claims, Disclosure):
        reasons += _judge_disclosure(claims, then, now, received_ms)
    elif isinstance(claims, Supplementary):
        reasons += _judge_supplementary(claims, now)
    elif isinstance(claims, Preservation):
        reasons += _judge_preservation(claims, now, received_ms)
    return reasons


def _judge_disclosure(
    claims: Disclosure, then: PolicyVersion, now: PolicyVersion, received_ms: int
) -> list[RefusedError]:
    reasons = []
    if now.refuse_all is not None:
        reasons.append(
            RefusedError("REFUSE_ALL", f"{now.refuse_all.ko} / {now.refuse_all.en}", kind=Kind.PRECONDITION)
        )
    if claims.offence not in {offence.id for offence in then.offences}:
        reasons.append(
            RefusedError(
                "OFFENCE_NOT_LISTED", "conversations are not given for this offence", field="offence"
            )
        )
    fitting = {warrant.id for warrant in then.warrant_types if "stored" in warrant.reaches}
    if claims.warrant_type not in fitting:
        reasons.append(
            RefusedError(
                "WARRANT_TYPE_REFUSED",
                "this type of warrant does not reach stored messages",
                field="warrant_type",
            )
        )
    if claims.expires_ms is not None and received_ms >= claims.expires_ms:
        reasons.append(RefusedError("DOCUMENT_EXPIRED", "the document has expired", field="expires_at"))
    reasons += _judge_scope(claims.subjects, claims.period, claims.issued_ms, now.limits)
    return reasons + _judge_recipient(claims.recipient)


def _judge_scope(
    subjects: tuple[object, ...], period: Span, issued_ms: int, limits: Limits
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
    if period.end_ms - period.start_ms > limits.period_days * DAY_MS:
        reasons.append(
            RefusedError("PERIOD_TOO_LONG", f"ask for {limits.period_days} days at most", field="period")
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


def _judge_preservation(claims: Preservation, now: PolicyVersion, received_ms: int) -> list[RefusedError]:
    reasons = _judge_scope(claims.subjects, claims.period, claims.issued_ms, now.limits)
    if claims.until_ms - claims.issued_ms > now.limits.preservation_days * DAY_MS:
        reasons.append(
            RefusedError(
                "PRESERVATION_TOO_LONG",
                f"preserve for {now.limits.preservation_days} days at most",
                field="until",
            )
        )
    if received_ms >= claims.until_ms:
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
