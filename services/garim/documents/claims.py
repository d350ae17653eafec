"""What a document says: five kinds, each a closed model over the verified payload bytes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from garim.documents.fields import Instant, MessageNumber, Plain, Prose, Pseudonym, Verbatim
from garim.statements import strict_json
from garim.statements.grants import DocumentId, IdentifierKind
from garim.statements.model import Closed, Count, Digest, EpochId
from garim.statements.refusal import RefusedError

FORMAT = "garim-document/1"
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
EMERGENCY_MS = 36 * 60 * 60 * 1000
"""Within which a court must have decided (통신비밀보호법 제8조 제5항, applied to what is stored)."""

_SHAPES = {
    "phone": (re.compile(r"\+[1-9][0-9]{6,14}"), "write the number in E.164: +821012345678"),
    "email": (re.compile(r"[^\s@A-Z]{1,64}@[^\s@A-Z]{1,255}"), "write a lower-case address"),
}


def _at_least_one(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not items:
        raise PydanticCustomError("at_least_one", "name at least one")
    return items


_AT_LEAST_ONE = AfterValidator(_at_least_one)
"""Pydantic's own minimum would count only the items without a fault, and report a second one."""


class Subject(Closed):
    """One identifier of somebody under investigation.

    Attributes:
        kind: `account`, `phone` or `email`.
        value: In the form in which tags are made: an account id as the operator has it (NFC), a phone
            number in E.164, an address in lower case.
    """

    kind: IdentifierKind
    value: Verbatim

    @model_validator(mode="after")
    def _shaped(self) -> Self:
        shape = _SHAPES.get(self.kind)
        if shape is not None and shape[0].fullmatch(self.value) is None:
            raise PydanticCustomError("subject_value", shape[1])
        return self


class Span(Closed):
    """A half-open span of time: from the first instant, up to but without the second.

    Attributes:
        start_ms: `from`; milliseconds since 1970.
        end_ms: `to`; milliseconds since 1970.
    """

    start_ms: Annotated[Instant, Field(alias="from")]
    end_ms: Annotated[Instant, Field(alias="to")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start_ms >= self.end_ms:
            raise PydanticCustomError(
                "span", "`to` must lie after `from`; a bare date means its first second"
            )
        return self


class Document(Closed):
    """What every kind names.

    Attributes:
        audience: The operator the document is addressed to, as governance has it.
        authority: The investigating agency; the chief investigator's certificate names it as organisation.
        court: The court; the judge's certificate names it as organisation.
        number: The document's number at its authority.
        case_number: The investigation it belongs to.
        issued_ms: `issued_at`; milliseconds since 1970.
    """

    format: Literal["garim-document/1"]
    audience: Plain
    authority: Plain
    court: Plain
    number: Plain
    case_number: Plain
    issued_ms: Annotated[Instant, Field(alias="issued_at")]


class _Answered(Document):
    recipient: Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{1,2000}\Z")]
    acknowledger: Digest


def _named_once(subjects: tuple[Subject, ...]) -> None:
    if len({(subject.kind, subject.value) for subject in subjects}) != len(subjects):
        raise PydanticCustomError("subjects", "a subject is named twice")


Subjects = Annotated[tuple[Subject, ...], Field(max_length=1000)]


class Disclosure(_Answered):
    """The first request: the subjects' stored conversations of a past period.

    Attributes:
        offence: Id of the offence in the operator's policy.
        warrant_type: Id of the warrant type in the operator's policy.
        subjects: Whose conversations; an empty list is refused by policy.
        period: By sent-at.
        mode: Whether bystanders' identities are sealed into the dossier or erased.
        expires_ms: `expires_at`: from when on it opens nothing more; null where the warrant names no end.
        recipient: The age public key to which the dossier is encrypted.
        acknowledger: SHA-256 of the certificate whose signature on the delivery receipt counts.
    """

    kind: Literal["disclosure"]
    offence: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}\Z")]
    warrant_type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}\Z")]
    subjects: Subjects
    period: Span
    mode: Literal["sealed", "erased"]
    expires_ms: Annotated[Instant | None, Field(alias="expires_at")]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        _named_once(self.subjects)
        if self.expires_ms is not None and self.expires_ms <= self.issued_ms:
            raise PydanticCustomError("expiry", "`expires_at` must lie after `issued_at`")
        return self


class InclusionProof(Closed):
    """That a leaf is in a Merkle tree whose root the dossier's receipt states (RFC 6962 section 2.1.1).

    Attributes:
        leaf_index: Position of the leaf, from 0.
        tree_size: Number of leaves.
        hashes: Audit path in hexadecimal, from the leaf upwards.
    """

    leaf_index: Count
    tree_size: Count
    hashes: Annotated[tuple[Digest, ...], Field(max_length=64)]

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.leaf_index >= self.tree_size:
            raise PydanticCustomError("inclusion_proof", "the leaf lies outside the tree")
        return self


class Ground(Closed):
    """A message that grounds the request for one pseudonym; it shows no text.

    Attributes:
        message: Its citable number.
        pseudonyms: All pseudonyms in it, sorted.
        content_sha256: SHA-256(salt, content), as the leaf has it.
        proof: Its inclusion under the receipt's messages root.
    """

    message: MessageNumber
    pseudonyms: Annotated[tuple[Pseudonym, ...], Field(max_length=1000)]
    content_sha256: Digest
    proof: InclusionProof


class NamedPseudonym(Closed):
    """One masked person or value whose identity is asked for.

    Attributes:
        pseudonym: As it stands in the dossier.
        sealed_sha256: SHA-256 of its sealed identity.
        proof: Its inclusion under the receipt's identities root.
        grounds: At least one message that mentions it, each with its proof.
    """

    pseudonym: Pseudonym
    sealed_sha256: Digest
    proof: InclusionProof
    grounds: Annotated[tuple[Ground, ...], Field(max_length=100), _AT_LEAST_ONE]

    @model_validator(mode="after")
    def _grounded(self) -> Self:
        if any(self.pseudonym not in ground.pseudonyms for ground in self.grounds):
            raise PydanticCustomError("ground", "a message given as ground does not hold the pseudonym")
        if len({ground.message for ground in self.grounds}) != len(self.grounds):
            raise PydanticCustomError("ground", "a message is given as ground twice")
        return self


class Supplementary(_Answered):
    """The second request: the identities behind named pseudonyms of one dossier.

    Attributes:
        first_document: SHA-256 of the first document's payload.
        dossier: Id of the dossier.
        identities: What is asked for, in which messages it stands.
        recipient: The age public key to which the answer is encrypted.
        acknowledger: SHA-256 of the certificate whose signature on the delivery receipt counts.
    """

    kind: Literal["supplementary"]
    first_document: Digest
    dossier: EpochId
    identities: Annotated[tuple[NamedPseudonym, ...], Field(max_length=500), _AT_LEAST_ONE]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if len({identity.pseudonym for identity in self.identities}) != len(self.identities):
            raise PydanticCustomError("identities", "a pseudonym is named twice")
        return self


class Keeping(Document):
    """What is kept for a later disclosure; nothing is handed over.

    Attributes:
        subjects: Whose conversations; an empty list is refused by policy.
        period: By sent-at; wholly past.
        until_ms: `until`: when it ends and what was kept is destroyed.
    """

    subjects: Subjects
    period: Span
    until_ms: Annotated[Instant, Field(alias="until")]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        _named_once(self.subjects)
        if self.until_ms <= self.issued_ms:
            raise PydanticCustomError("until", "`until` must lie after `issued_at`")
        return self


class Preservation(Keeping):
    """A court's order to keep."""

    kind: Literal["preservation"]


class EmergencyPreservation(Keeping):
    """A chief investigator's request to keep until a court has decided; it opens nothing.

    Attributes:
        urgency: Why no court could be asked before, for the record.
    """

    kind: Literal["emergency-preservation"]
    urgency: Prose

    @model_validator(mode="after")
    def _short(self) -> Self:
        if self.until_ms - self.issued_ms > EMERGENCY_MS:
            raise PydanticCustomError("until", "an emergency request lasts 36 hours from its issue at most")
        return self


class RevokedDocument(Closed):
    """The document that a revocation takes back.

    Attributes:
        authority: Its authority; only the same one revokes.
        number: Its number.
        sha256: SHA-256 of its payload.
    """

    authority: Plain
    number: Plain
    sha256: Digest


class Revocation(Document):
    """Takes an earlier document back; it acts at once.

    Attributes:
        revokes: Which document.
        reason: Why, for the record.
    """

    kind: Literal["revocation"]
    revokes: RevokedDocument
    reason: Prose

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.revokes.authority != self.authority:
            raise PydanticCustomError("revokes", "only the authority that issued a document revokes it")
        return self


Claims = Disclosure | Supplementary | Preservation | EmergencyPreservation | Revocation

_KINDS: dict[str, type[Claims]] = {
    "disclosure": Disclosure,
    "supplementary": Supplementary,
    "preservation": Preservation,
    "emergency-preservation": EmergencyPreservation,
    "revocation": Revocation,
}


def read_claims(payload: bytes) -> Claims:
    """Read a verified payload.

    Args:
        payload: The bytes that every signature covers.

    Raises:
        RefusedError: `JSON_*`, or `FIELD_UNKNOWN`, `FIELD_MISSING`, `FIELD_VALUE`, each with its field's
            path; all of these together in a `RefusedWithReasonsError`.
    """
    members: dict[str, Any] = strict_json.parse_object(payload, max_bytes=MAX_PAYLOAD_BYTES)
    if "kind" not in members:
        raise RefusedError("FIELD_MISSING", "the kind of document is missing", field="kind")
    kind = members["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise RefusedError("FIELD_VALUE", f"must be one of {', '.join(_KINDS)}", field="kind")
    return _KINDS[kind].from_json(members)


def document_id(claims: Claims, digest: str) -> DocumentId:
    """Return what identifies a document.

    Args:
        claims: What it says.
        digest: SHA-256 of its payload in hexadecimal.
    """
    return DocumentId(
        authority=claims.authority, number=claims.number, case_number=claims.case_number, digest=digest
    )
