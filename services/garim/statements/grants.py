"""What warrants signs: that a document is valid, and exactly what it covers.

A grant is never enough on its own: custody derives the same scope from the document itself and compares.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from garim.statements.model import Closed, Count, Digest, EpochId, Millis, Name, Statement, payload_type

IdentifierKind = Literal["account", "phone", "email"]
TimeUnit = Literal["exact", "minute", "hour", "day"]
"""How exactly a time is shown, from the finest."""


class Subject(Closed):
    """One identifier by which the document names a subject.

    Args:
        kind: What sort of identifier it is.
        value: The normalised identifier.
    """

    kind: IdentifierKind
    value: Annotated[str, Field(min_length=1, max_length=320)]


class Period(Closed):
    """Half-open span of time, in milliseconds since the Unix epoch.

    Args:
        start: First millisecond inside.
        end: First millisecond behind.
    """

    start: Millis
    end: Millis


class DocumentId(Closed):
    """What identifies a document: its issuer's numbering and the digest of its payload.

    Args:
        authority: The authority that issued it.
        number: Its number there.
        case_number: The investigation it belongs to.
        digest: SHA-256 of the payload, never of the envelope around it.
    """

    authority: Annotated[str, Field(min_length=1, max_length=200)]
    number: Annotated[str, Field(min_length=1, max_length=200)]
    case_number: Annotated[str, Field(min_length=1, max_length=200)]
    digest: Digest


class Masking(Closed):
    """How much the operator's policy has a dossier masked, beside every member's names and all identifiers.

    Statements made before policies said so lack it; they were masked as the defaults say.

    Args:
        names: `all-persons`: people in no roster, too, as far as they are found; `roster+identifiers`: the
            rosters' people and identifying values alone.
        times: How exactly messages' times are shown: to the millisecond, or cut to the minute, hour or day
            (in Korea) that they lie in.
    """

    names: Literal["all-persons", "roster+identifiers"] = "all-persons"
    times: TimeUnit = "exact"

    @property
    def open_names(self) -> bool:
        """Whether people in no roster are masked, too."""
        return self.names == "all-persons"

    def shows_more_than(self, other: Masking) -> bool:
        """Tell whether something would be shown that `other` hides."""
        units = get_args(TimeUnit)
        wider = other.open_names and not self.open_names
        return wider or units.index(self.times) < units.index(other.times)


class Grant(Statement):
    """What every grant names.

    Args:
        grant: Random id of this grant.
        case: Id of the case at warrants.
        document: The document it rests on.
        document_issued: When the document was issued.
        governance: Governance version under which it was judged.
        policy: SHA-256 of the policy file under which it was judged.
    """

    grant: EpochId
    case: EpochId
    document: DocumentId
    document_issued: Millis
    governance: Count
    policy: Digest


class DisclosureGrant(Grant):
    """A first request is valid: one dossier may be made.

    Args:
        subjects: Whom it names, sorted by kind and value.
        period: The exact time asked for, by sent-at.
        mode: Whether identities are sealed into the dossier or erased.
        recipient: The age public key to which the dossier is encrypted.
        acknowledger: SHA-256 of the certificate whose signature on the delivery receipt counts.
        unmask_until: End of the time in which identities may be asked for; the dossier's key dies then.
        unmask_budget: How many identities all supplementary requests together may open.
        forecast: SHA-256 of the forecast statement's payload.
        overlaps: Dossiers whose scope overlaps and whose unmask budget this one shares.
        masking: How policy has it masked.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("disclosure-grant")

    purpose: Literal["disclosure"]
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    period: Period
    mode: Literal["sealed", "erased"]
    recipient: str
    acknowledger: Digest
    unmask_until: Millis
    unmask_budget: Count
    forecast: Digest
    overlaps: tuple[EpochId, ...]
    masking: Masking = Masking()


class PreservationGrant(Grant):
    """A preservation order is valid: its scope stays readable until the order ends.

    Args:
        subjects: Whom it names, sorted by kind and value.
        period: The exact time to keep, by sent-at; wholly past.
        until: When the order ends and what it kept is destroyed.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("preservation-grant")

    purpose: Literal["preservation"]
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    period: Period
    until: Millis


class NamedPseudonym(Closed):
    """One masked person or value that a supplementary request names.

    Args:
        pseudonym: As it stands in the dossier.
        sealed: SHA-256 of its sealed identity.
        messages: Numbers of the messages that ground the request, sorted.
    """

    pseudonym: str
    sealed: Digest
    messages: Annotated[tuple[str, ...], Field(min_length=1)]


class UnmaskGrant(Grant):
    """A second request is valid: custody may ask the custodians.

    Args:
        first: The first document's digest.
        dossier: The dossier whose pseudonyms it names.
        identities: What it names, sorted by pseudonym.
        recipient: The age public key to which the answer is encrypted.
        filer: Person who filed the document with the operator; may not approve it.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("unmask-grant")

    purpose: Literal["unmask"]
    first: Digest
    dossier: EpochId
    identities: Annotated[tuple[NamedPseudonym, ...], Field(min_length=1)]
    recipient: str
    filer: Name
