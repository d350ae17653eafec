"""The policy file as a closed model: dated items, each with its legal basis.

A change of a statute is a dated item (`valid_from`, `valid_to`) within one list; the operator's own rules
come in versions, each in force until the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from garim.documents.fields import Instant, Prose
from garim.statements.grants import Masking
from garim.statements.model import Closed, Count

FORMAT = "garim-policy/2"

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}\Z")]
Positive = Annotated[int, Field(ge=1, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
DataCategory = Literal["stored", "live", "records"]
RuleId = Literal[
    "form",
    "signatures",
    "authority",
    "addressee",
    "time",
    "offence",
    "warrant-type",
    "subjects",
    "period",
    "recipient",
    "second-request",
    "preservation",
    "emergency",
    "scope",
    "refuse-all",
    "revocation",
]
"""What a document is judged by; each has a legal basis in the file."""


class Words(Closed):
    """One text in both languages.

    Attributes:
        ko: Korean.
        en: English.
    """

    ko: Prose
    en: Prose


class Dated(Closed):
    """What holds from one instant until another.

    Attributes:
        valid_from_ms: `valid_from`: its first instant, milliseconds since 1970; null where it always held.
        valid_to_ms: `valid_to`: the first instant at which it holds no more; null where it still holds.
    """

    valid_from_ms: Annotated[Instant | None, Field(alias="valid_from")] = None
    valid_to_ms: Annotated[Instant | None, Field(alias="valid_to")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (
            self.valid_from_ms is not None
            and self.valid_to_ms is not None
            and self.valid_from_ms >= self.valid_to_ms
        ):
            raise PydanticCustomError("dates", "`valid_to` must lie after `valid_from`")
        return self

    def holds(self, instant_ms: int) -> bool:
        """Tell whether it holds at an instant (milliseconds since 1970)."""
        begun = self.valid_from_ms is None or self.valid_from_ms <= instant_ms
        return begun and (self.valid_to_ms is None or instant_ms < self.valid_to_ms)


class Citation(Dated):
    """A place in a statute, or a decision of a court.

    Attributes:
        statute: Name of the statute, or of the court.
        articles: Where in it, or the decision's number.
    """

    statute: Prose
    articles: Prose

    @property
    def text(self) -> str:
        """How a letter cites it."""
        return f"{self.statute} {self.articles}"


Basis = Annotated[tuple[Citation, ...], Field(min_length=1)]


def cited(basis: Iterable[Citation], instant_ms: int) -> tuple[str, ...]:
    """Return the citations that hold at an instant (milliseconds since 1970), in order."""
    return tuple(one.text for one in basis if one.holds(instant_ms))


class Rule(Closed):
    """The legal basis of one thing that documents are judged by.

    Attributes:
        id: Which.
        label: For people.
        basis: Where the law, a court or the operator's declaration has it.
    """

    id: RuleId
    label: Words
    basis: Basis


class Offence(Dated):
    """An offence for which conversations may be asked.

    It is listed at an instant at which it holds, a provision punishes it, and its listing holds.

    Attributes:
        id: What a document's `offence` names.
        label: For people.
        punished_by: The provisions that make it an offence.
        listed_by: Why the operator lists it.
    """

    id: Id
    label: Words
    punished_by: Basis
    listed_by: Basis

    def listed(self, instant_ms: int) -> bool:
        """Tell whether it is listed at an instant (milliseconds since 1970)."""
        return self.holds(instant_ms) and all(
            cited(basis, instant_ms) for basis in (self.punished_by, self.listed_by)
        )

    def basis_at(self, instant_ms: int) -> tuple[str, ...]:
        """Return the citations that hold at an instant (milliseconds since 1970)."""
        return cited((*self.punished_by, *self.listed_by), instant_ms)


class Duration(Closed):
    """How long a measure may reach.

    Attributes:
        days: At most, in days of 24 hours.
        extension_days: Each extension at most; null where it is never extended.
        extensions_total_days: All extensions together at most; null where it is never extended.
    """

    days: Positive
    extension_days: Positive | None
    extensions_total_days: Positive | None


class WarrantType(Dated):
    """A kind of warrant.

    Attributes:
        id: What a document's `warrant_type` names.
        label: For people.
        reaches: Which data it reaches; stored conversations need `stored`.
        duration: The longest period that the law lets it have; null where the law sets none.
        basis: Where the law has it, and which court said what it reaches.
    """

    id: Id
    label: Words
    reaches: tuple[DataCategory, ...]
    duration: Duration | None
    basis: Basis


class Limits(Closed):
    """The widest scope a document may have.

    Attributes:
        period_days: Longest period, in days of 24 hours, where the warrant's type has no shorter one.
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


class Emergency(Closed):
    """Requests without a court: they preserve, and nothing else.

    Attributes:
        hours: From the request's issue until a court's document must have confirmed it; 36 at most.
    """

    hours: Annotated[int, Field(ge=1, le=36, strict=True)]


class Review(Closed):
    """When the committee must decide; how many of it, governance says.

    Attributes:
        by: Who decides, for people.
        always: Every disclosure.
        bystanders_over: Forecasts of more bystanders than this.
        subjects_over: Documents with more subjects than this.
        overlap: Scopes that overlap an earlier dossier's.
    """

    by: Words
    always: Flag
    bystanders_over: Count
    subjects_over: Count
    overlap: Flag


class Cause(Closed):
    """A ground on which a duty may wait or fall away.

    Attributes:
        id: What a record of it names.
        label: For people.
    """

    id: Id
    label: Words


class Deferral(Closed):
    """How long a notification may wait.

    Attributes:
        causes: On which grounds alone.
        approved_by: Who must have approved it, for people.
        look_again_days: How long one approval is relied on before it is asked for again.
        days_after: From the end of the ground to the notification.
        basis: Where the law has it.
    """

    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]
    approved_by: Words
    look_again_days: Positive
    days_after: Positive
    basis: Basis


class Notification(Closed):
    """Telling the subjects that their conversations were handed over.

    Attributes:
        by: Whose duty it is, for people.
        days: Until it must be done, from the delivery of the dossier.
        deferral: When it may wait; null where it never may.
        basis: Where the law has it.
    """

    by: Words
    days: Positive
    deferral: Deferral | None
    basis: Basis


class Participation(Closed):
    """The suspect's part in the execution.

    Attributes:
        by: Who must tell the suspect or counsel beforehand, for people.
        days: From the grant until the agency's word on it must be on record.
        exceptions: On which grounds alone it falls away.
        basis: Where the law has it.
    """

    by: Words
    days: Positive
    exceptions: tuple[Cause, ...]
    basis: Basis


class Register(Closed):
    """The operator's own account of what was handed over.

    Attributes:
        months: Length of one reporting period.
        keep_years: How long it is kept.
        basis: Where the law has it.
    """

    months: Annotated[int, Field(ge=1, le=12, strict=True)]
    keep_years: Positive
    basis: Basis


class Duties(Closed):
    """What must be done beside the answer.

    Attributes:
        notify_subjects: Telling the subjects.
        participation: The suspect's part in the execution.
        register: The periodical account.
    """

    notify_subjects: Notification
    participation: Participation
    register_: Annotated[Register, Field(alias="register")]


class PolicyVersion(Closed):
    """The operator's own rules from one date on.

    Attributes:
        id: Its name.
        valid_from_ms: `valid_from`: its first instant, milliseconds since 1970.
        refuse_all: The declared refusal of every disclosure, in words; null where warrants are answered.
        masking: How dossiers are masked.
    """

    id: Id
    valid_from_ms: Annotated[Instant, Field(alias="valid_from")]
    refuse_all: Words | None
    limits: Limits
    budgets: Budgets
    deadlines: Deadlines
    emergency: Emergency
    review: Review
    duties: Duties
    masking: Masking = Masking()


class PolicyFile(Closed):
    """One jurisdiction's policy.

    Attributes:
        format: `garim-policy/2`.
        jurisdiction: Two-letter country.
        rules: The legal basis of everything that documents are judged by.
        offences: The list of offences.
        warrant_types: The kinds of warrant known; those that reach stored data may be used.
        versions: The operator's own rules, in order of time.
    """

    format: Literal["garim-policy/2"]
    jurisdiction: Annotated[str, Field(pattern=r"^[a-z]{2}\Z")]
    rules: tuple[Rule, ...]
    offences: tuple[Offence, ...]
    warrant_types: tuple[WarrantType, ...]
    versions: Annotated[tuple[PolicyVersion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        for entries in (self.offences, self.warrant_types, self.versions):
            if len({entry.id for entry in entries}) != len(entries):
                raise PydanticCustomError("policy_ids", "an id stands twice in one list")
        if sorted(rule.id for rule in self.rules) != sorted(get_args(RuleId)):
            raise PydanticCustomError("policy_rules", "each rule stands in `rules` once, with its basis")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        starts = [version.valid_from_ms for version in self.versions]
        if starts != sorted(set(starts)):
            raise PydanticCustomError("policy_order", "versions must be in order of time")
        return self
