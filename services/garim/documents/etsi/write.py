"""Writing messages: answers, and requests around a court's document for rehearsals and tests.

Agencies have tools of their own; what is written here shows the profile and validates against the schemas.
"""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from collections.abc import Callable, Sequence

from garim.documents.claims import (
    Claims,
    Disclosure,
    EmergencyPreservation,
    Preservation,
    Revocation,
    Subject,
    Supplementary,
)
from garim.documents.etsi import names
from garim.documents.etsi.message import Endpoint, Header
from garim.documents.etsi.names import AUTHORISATION, COMMON, CORE, DOCUMENT, ETSI, OWNER, TASK
from garim.documents.etsi.request import OCTETS, SEALED_IDENTITY
from garim.documents.etsi.trees import Node, branch, leaf, write
from garim.documents.fields import write_instant
from garim.statements.refusal import RefusedError

COUNTRY = "KR"
_TARGETS = {
    "phone": (ETSI, "InternationalE164"),
    "email": (ETSI, "InternationalizedEmailAddress"),
    "account": (OWNER, "AccountId"),
}


@dataclasses.dataclass(frozen=True)
class Writing:
    """What a message is written with.

    Attributes:
        sender: Agency.
        receiver: Operator.
        now_ms: Time of the message, milliseconds since 1970.
        new_uuid: Draws a UUID.
    """

    sender: str
    receiver: str
    now_ms: int
    new_uuid: Callable[[], str]

    def header(self) -> Header:
        """Return a header with a transaction of its own."""
        return Header(
            Endpoint(COUNTRY, self.sender),
            Endpoint(COUNTRY, self.receiver),
            self.new_uuid(),
            timestamp(self.now_ms),
            names.ETSI_VERSION,
            (OWNER, names.PROFILE_VERSION),
        )


def timestamp(instant_ms: int) -> str:
    """Return an instant (milliseconds since 1970) as a QualifiedMicrosecondDateTime."""
    whole = write_instant(instant_ms - instant_ms % 1000)
    return f"{whole[:19]}.{instant_ms % 1000:03}000{whole[19:]}"


def request(writing: Writing, asked: Claims, pdf: bytes, sealed: Sequence[bytes] = ()) -> bytes:
    """Return an unsigned request for what claims say.

    Args:
        writing: Who, to whom, when.
        asked: What is asked for; not wider than the PDF's claims.
        pdf: The court's document.
        sealed: For a second request: the sealed identities, in order of their pseudonyms.

    Raises:
        RefusedError: `FIELD_VALUE`: an instant of the claims is no whole second, or they are an emergency
            request's, which no court's document goes with.
    """
    if isinstance(asked, EmergencyPreservation):
        raise RefusedError("FIELD_VALUE", "an emergency request travels as JWS alone", field="kind")
    authorisation = writing.new_uuid()
    objects = [
        _object(writing, names.AUTHORISATION_OBJECT, authorisation, "", *_authorisation(asked)),
        _object(writing, names.DOCUMENT_OBJECT, writing.new_uuid(), authorisation, *_document(asked, pdf)),
    ]
    if not isinstance(asked, Revocation):
        kind, fields = _task(asked, writing)
        objects.append(_object(writing, kind, writing.new_uuid(), authorisation, *fields))
    for one in sealed:
        identifier = writing.new_uuid()
        body = _body(one, OCTETS)
        typed = _entry(DOCUMENT, "DocumentType", OWNER, "DocumentType", SEALED_IDENTITY)
        objects.append(_object(writing, names.DOCUMENT_OBJECT, identifier, authorisation, typed, body))
    return request_of(writing.header(), [branch(CORE, "CREATE", one) for one in objects])


def cancellation(writing: Writing, authorisation: str, generation: int) -> bytes:
    """Return an unsigned request that cancels an authorisation of the sender's own.

    Args:
        writing: Who, to whom, when.
        authorisation: The AuthorisationObject's identifier.
        generation: Which generation of it the sender knows.
    """
    changed = branch(
        CORE,
        "HI1Object",
        leaf(CORE, "ObjectIdentifier", authorisation),
        leaf(CORE, "Generation", str(generation)),
        _entry(AUTHORISATION, "AuthorisationDesiredStatus", ETSI, "AuthorisationDesiredStatus", "Cancelled"),
        kind=names.AUTHORISATION_OBJECT,
    )
    return request_of(writing.header(), [branch(CORE, "UPDATE", changed)])


def query(writing: Writing, identifiers: Sequence[str]) -> bytes:
    """Return an unsigned request for objects of the sender's own, or for a list of all of them.

    Args:
        writing: Who, to whom, when.
        identifiers: Of the objects; none for the list.
    """
    gets = [branch(CORE, "GET", leaf(CORE, "Identifier", one)) for one in identifiers]
    return request_of(writing.header(), gets or [branch(CORE, "LIST")])


def request_of(header: Header, actions: Sequence[Node]) -> bytes:
    """Return a request of actions.

    Args:
        header: Its header.
        actions: The actions' elements, in order.
    """
    requests = [
        branch(CORE, "ActionRequest", leaf(CORE, "ActionIdentifier", str(number)), one)
        for number, one in enumerate(actions)
    ]
    return message(header, branch(CORE, "RequestPayload", branch(CORE, "ActionRequests", *requests)))


def message(header: Header, payload: Node) -> bytes:
    """Return a message.

    Args:
        header: Its header.
        payload: RequestPayload or ResponsePayload.
    """
    version = branch(
        CORE,
        "Version",
        leaf(CORE, "ETSIVersion", header.version),
        leaf(CORE, "NationalProfileOwner", header.profile[0]),
        leaf(CORE, "NationalProfileVersion", header.profile[1]),
    )
    head = branch(
        CORE,
        "Header",
        _endpoint("SenderIdentifier", header.sender),
        _endpoint("ReceiverIdentifier", header.receiver),
        leaf(CORE, "TransactionIdentifier", header.transaction),
        leaf(CORE, "Timestamp", header.timestamp),
        version,
    )
    return write(branch(CORE, "HI1Message", head, branch(CORE, "Payload", payload)))


def _endpoint(name: str, endpoint: Endpoint, namespace: str = CORE) -> Node:
    parts = leaf(CORE, "CountryCode", endpoint.country), leaf(CORE, "UniqueIdentifier", endpoint.name)
    return branch(namespace, name, *parts)


def _entry(namespace: str, element: str, owner: str, dictionary: str, value: str) -> Node:
    parts = zip(("Owner", "Name", "Value"), (owner, dictionary, value), strict=True)
    return branch(namespace, element, *(leaf(COMMON, name, text) for name, text in parts))


def _moment(namespace: str, name: str, instant_ms: int) -> Node:
    if instant_ms % 1000:
        raise RefusedError("FIELD_VALUE", "the standard writes instants in whole seconds", field=name)
    return leaf(namespace, name, write_instant(instant_ms))


def _object(writing: Writing, kind: str, identifier: str, belongs_to: str, *fields: Node | None) -> Node:
    links = (
        branch(CORE, "AssociatedObjects", leaf(CORE, "AssociatedObject", belongs_to)) if belongs_to else None
    )
    external = [one for one in fields if one is not None and one.tag == names.core("ExternalIdentifier")]
    return branch(
        CORE,
        "HI1Object",
        leaf(CORE, "ObjectIdentifier", identifier),
        leaf(CORE, "CountryCode", COUNTRY),
        leaf(CORE, "OwnerIdentifier", writing.sender),
        *external,
        links,
        *(one for one in fields if one not in external),
        kind=kind,
    )


def _authorisation(asked: Claims) -> list[Node | None]:
    first = asked if isinstance(asked, Disclosure) else None
    revoking = isinstance(asked, Revocation)
    approver = branch(COMMON, "ApproverDetails", leaf(COMMON, "ApproverName", asked.court))
    expires = first.expires_ms if first is not None else None
    return [
        leaf(CORE, "ExternalIdentifier", asked.case_number),
        leaf(AUTHORISATION, "AuthorisationReference", asked.number),
        None
        if first is None
        else _entry(AUTHORISATION, "AuthorisationLegalType", OWNER, "WarrantType", first.warrant_type),
        _entry(
            AUTHORISATION,
            "AuthorisationDesiredStatus",
            ETSI,
            "AuthorisationDesiredStatus",
            "Cancelled" if revoking else "Approved",
        ),
        branch(AUTHORISATION, "AuthorisationTimespan", _moment(AUTHORISATION, "EndTime", expires))
        if expires is not None
        else None,
        branch(
            AUTHORISATION,
            "AuthorisationApprovalDetails",
            approver,
            leaf(COMMON, "ApprovalTimestamp", write_instant(asked.issued_ms - asked.issued_ms % 1000)),
        ),
        leaf(AUTHORISATION, "AuthorisationManualInformation", asked.reason)
        if isinstance(asked, Revocation)
        else None,
        None
        if first is None
        else _entry(AUTHORISATION, "AuthorisationTypeOfCase", OWNER, "Offence", first.offence),
    ]


def _document(asked: Claims, pdf: bytes) -> list[Node | None]:
    properties: list[tuple[str, str]] = []
    if isinstance(asked, Supplementary):
        properties = [("FirstDocument", asked.first_document), ("Dossier", asked.dossier)]
    elif isinstance(asked, Revocation):
        properties = [("RevokedNumber", asked.revokes.number), ("RevokedSha256", asked.revokes.sha256)]
    written = [
        branch(
            DOCUMENT,
            "DocumentProperty",
            _entry(DOCUMENT, "PropertyType", OWNER, "DocumentProperty", name),
            leaf(DOCUMENT, "PropertyValue", value),
        )
        for name, value in properties
    ]
    return [
        leaf(DOCUMENT, "DocumentReference", asked.number),
        _entry(DOCUMENT, "DocumentType", ETSI, "DocumentType", "Warrant"),
        branch(DOCUMENT, "DocumentProperties", *written) if written else None,
        _body(pdf, names.PDF),
    ]


def _body(contents: bytes, content_type: str) -> Node:
    return branch(
        DOCUMENT,
        "DocumentBody",
        leaf(DOCUMENT, "Contents", b64encode(contents).decode()),
        leaf(DOCUMENT, "ContentType", content_type),
    )


def _task(
    asked: Disclosure | Supplementary | Preservation, writing: Writing
) -> tuple[str, list[Node | None]]:
    provider = _endpoint("CSPID", Endpoint(COUNTRY, writing.receiver), TASK)
    if isinstance(asked, Preservation):
        return names.PRESERVATION_TASK, [
            _entry(TASK, "DesiredStatus", ETSI, "LPTaskDesiredStatus", "Preserved"),
            branch(TASK, "RequestDetails", *_scope(asked)),
            _moment(TASK, "DesiredPreservationExpiration", asked.until_ms),
            provider,
        ]
    if isinstance(asked, Supplementary):
        kind, mode = names.MASKED_IDENTITIES, None
        values = [_value(names.PSEUDONYM_FORMAT, one.pseudonym) for one in asked.identities]
        scope: list[Node] = [branch(TASK, "RequestValues", *values)]
    else:
        kind, scope = names.STORED_CONVERSATIONS, _scope(asked)
        mode = _entry(TASK, "HandlingProfile", OWNER, "Mode", asked.mode)
    return names.DISCLOSURE_TASK, [
        _entry(TASK, "DesiredStatus", ETSI, "LDTaskDesiredStatus", "Disclosed"),
        branch(TASK, "RequestDetails", _entry(TASK, "Type", OWNER, "RequestType", kind), *scope),
        _delivery(asked),
        provider,
        mode,
    ]


def _scope(asked: Disclosure | Preservation) -> list[Node]:
    return [
        _moment(TASK, "StartTime", asked.period.start_ms),
        _moment(TASK, "EndTime", asked.period.end_ms),
        branch(TASK, "RequestValues", *(_target(one) for one in asked.subjects)),
    ]


def _target(subject: Subject) -> Node:
    text = subject.value.removeprefix("+") if subject.kind == "phone" else subject.value
    return _value(_TARGETS[subject.kind], text)


def _value(shape: tuple[str, str], text: str) -> Node:
    parts = leaf(TASK, "FormatOwner", shape[0]), leaf(TASK, "FormatName", shape[1])
    return branch(TASK, "RequestValue", branch(TASK, "FormatType", *parts), leaf(TASK, "Value", text))


def _delivery(asked: Disclosure | Supplementary) -> Node:
    address = branch(
        TASK, "DeliveryAddress", _endpoint("EndpointID", Endpoint(COUNTRY, asked.recipient), TASK)
    )
    destination = branch(
        TASK,
        "LDDeliveryDestination",
        address,
        _entry(TASK, "LDDeliveryProfile", OWNER, "Acknowledger", asked.acknowledger),
    )
    return branch(TASK, "DeliveryDetails", destination)
