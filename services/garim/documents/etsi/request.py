"""From a signed message to claims: what the agency asks for, held against what the court allowed.

The agency's signature covers the message, the court's the PDF in it. The request must not be wider than the
court's document; where it is narrower, the narrower claims are what counts.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from garim.documents import claims
from garim.documents.claims import Claims
from garim.documents.etsi import names
from garim.documents.etsi.comparing import differs, wider
from garim.documents.etsi.message import HI1Object, Message
from garim.documents.etsi.names import ETSI, OWNER
from garim.documents.etsi.reader import Reader
from garim.documents.fields import parse_instant, write_instant
from garim.statements.refusal import RefusedError

SEALED_IDENTITY = "SealedIdentity"
OCTETS = "application/octet-stream"
_COMMON = ("OwnerIdentifier", "Generation", "CountryCode", "LastChanged", "AssociatedObjects")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


class Parts:
    """The objects of a request, each once: authorisation, document, and a task where one is asked for.

    Args:
        message: A request.

    Raises:
        RefusedError: `REQUEST_SHAPE`, `PROFILE_UNKNOWN`, `LINK_WRONG`, `FIELD_*`, `BODY_UNREADABLE`.
    """

    def __init__(self, message: Message) -> None:
        if message.header.profile != (OWNER, names.PROFILE_VERSION):
            raise RefusedError(
                "PROFILE_UNKNOWN",
                f"requests keep to the profile {OWNER} {names.PROFILE_VERSION}",
                field="Header.Version",
            )
        created = [one.subject for one in message.actions if one.verb == "CREATE"]
        if message.is_answer or len(created) != len(message.actions):
            raise RefusedError("REQUEST_SHAPE", "a request creates objects and does nothing else")
        objects = [one for one in created if one is not None]
        self.authorisation = _single(objects, (names.AUTHORISATION_OBJECT,))
        documents = [one for one in objects if one.kind == names.DOCUMENT_OBJECT]
        self.document = _single([one for one in documents if not _is_sealed(one)], (names.DOCUMENT_OBJECT,))
        self.sealed = tuple(_body(one, OCTETS) for one in documents if _is_sealed(one))
        tasks = [one for one in objects if one.kind in (names.DISCLOSURE_TASK, names.PRESERVATION_TASK)]
        self.task = _single(tasks, (names.DISCLOSURE_TASK, names.PRESERVATION_TASK)) if tasks else None
        if len(objects) != 1 + len(documents) + len(tasks):
            raise RefusedError("OBJECT_UNSUPPORTED", "an object of this type is not taken in")
        _check_links(objects, self.authorisation)
        self.pdf = _body(self.document, names.PDF)


def sealed_identities(message: Message) -> tuple[bytes, ...]:
    """Return the sealed identities that travel in a second request, in order."""
    return Parts(message).sealed


def _single(objects: list[HI1Object], kinds: tuple[str, ...]) -> HI1Object:
    found = [one for one in objects if one.kind in kinds]
    if len(found) != 1:
        wanted = names.local(kinds[0])
        raise RefusedError("REQUEST_SHAPE", "a request holds exactly one of these", field=wanted)
    return found[0]


def _is_sealed(document: HI1Object) -> bool:
    kind = next((one for one in document.tree.children if names.local(one.tag) == "DocumentType"), None)
    return kind is not None and Reader(kind, "DocumentType").entry() == (
        OWNER,
        "DocumentType",
        SEALED_IDENTITY,
    )


def _check_links(objects: list[HI1Object], authorisation: HI1Object) -> None:
    for one in objects:
        wanted = () if one is authorisation else (authorisation.identifier,)
        if one.associated != wanted:
            raise RefusedError(
                "LINK_WRONG",
                "document and task belong to the authorisation in the same message, and to nothing else",
                field=f"{names.local(one.kind)}.AssociatedObjects",
            )
    if len({one.identifier for one in objects}) != len(objects):
        raise RefusedError("FIELD_VALUE", "two objects have one identifier", field="ObjectIdentifier")


def _fields(subject: HI1Object, header_sender: str | None = None) -> Reader:
    """Return a reader of what is not common to all objects."""
    name = names.local(subject.kind)
    fields = Reader(subject.tree, name)
    fields.text("ObjectIdentifier")
    for common in _COMMON:
        fields.maybe(common)
    if header_sender is not None and subject.owner != header_sender:
        raise RefusedError("FIELD_VALUE", "the sender must own it", field=f"{name}.OwnerIdentifier")
    return fields


def _body(document: HI1Object, content_type: str) -> bytes:
    body = next((one for one in document.tree.children if names.local(one.tag) == "DocumentBody"), None)
    if body is None:
        raise RefusedError(
            "FIELD_MISSING", "the document's body is missing", field="DocumentObject.DocumentBody"
        )
    fields = Reader(body, "DocumentObject.DocumentBody")
    contents = fields.text("Contents")
    if fields.text("ContentType") != content_type:
        raise RefusedError("FIELD_VALUE", f"must be {content_type}", field="DocumentBody.ContentType")
    fields.end()
    try:
        return b64decode("".join(contents.split()), validate=True)
    except binascii.Error:
        raise RefusedError("BODY_UNREADABLE", "not base64", field="DocumentBody.Contents") from None


def members_of(message: Message, parts: Parts, allowed: Claims) -> dict[str, Any]:
    """Return the claims of a request as their JSON has them; values are checked by `read_claims`.

    Args:
        message: The request.
        parts: Its objects.
        allowed: What the court's document says.

    Raises:
        RefusedError: `FIELD_*`, `REQUEST_SHAPE`, `REQUEST_WIDER`, `REQUEST_DIFFERS`.
    """
    sender = message.header.sender.name
    members: dict[str, Any] = {
        "format": claims.FORMAT,
        "audience": message.header.receiver.name,
        "authority": sender,
    }
    authorisation = _authorisation(parts.authorisation, sender)
    properties = _document(parts.document, sender, str(authorisation["number"]))
    for name in ("number", "court", "case_number", "issued_at"):
        members[name] = authorisation.pop(name)
    whole_second = allowed.issued_ms - allowed.issued_ms % 1000
    if members["issued_at"] == write_instant(whole_second):
        # The standard has no fractions of a second: the court's own instant is meant.
        members["issued_at"] = write_instant(allowed.issued_ms)
    if parts.task is None:
        rest = _revocation(authorisation, properties, sender)
    elif parts.task.kind == names.PRESERVATION_TASK:
        rest = _preservation(parts.task, message)
    else:
        rest = _disclosure_task(parts.task, message)
        if rest.pop("type") == names.MASKED_IDENTITIES:
            rest = _supplementary(rest, properties, allowed)
        else:
            rest |= {name: authorisation.pop(name) for name in ("offence", "warrant_type", "expires_at")}
            rest |= {"kind": "disclosure"}
    _nothing_left("AuthorisationObject", {k: v for k, v in authorisation.items() if v is not None})
    _nothing_left("DocumentProperties", properties)
    return members | rest


def _nothing_left(path: str, left: Mapping[str, Any]) -> None:
    for name in left:
        raise RefusedError("FIELD_UNKNOWN", "this kind of request does not have it", field=f"{path}.{name}")


def _authorisation(subject: HI1Object, sender: str) -> dict[str, Any]:
    fields = _fields(subject, sender)
    found: dict[str, Any] = {
        "case_number": fields.text("ExternalIdentifier"),
        "number": fields.text("AuthorisationReference"),
        "warrant_type": fields.maybe_value("AuthorisationLegalType", OWNER, "WarrantType"),
        "offence": fields.maybe_value("AuthorisationTypeOfCase", OWNER, "Offence"),
        "status": fields.maybe_value("AuthorisationDesiredStatus", ETSI, "AuthorisationDesiredStatus"),
        "reason": fields.maybe_text("AuthorisationManualInformation"),
        "expires_at": None,
    }
    if found["status"] == "Approved":
        found["status"] = None
    approval = fields.reader("AuthorisationApprovalDetails")
    found["issued_at"] = _instant(approval, "ApprovalTimestamp")
    approver = approval.reader("ApproverDetails")
    found["court"] = approver.text("ApproverName")
    approver.end()
    approval.end()
    span = fields.maybe("AuthorisationTimespan")
    if span is not None:
        limits = Reader(span, "AuthorisationObject.AuthorisationTimespan")
        found["expires_at"] = _instant(limits, "EndTime")
        limits.end()
    fields.end()
    return found


def _document(subject: HI1Object, sender: str, number: str) -> dict[str, str]:
    """Return the properties of the court's document; its reference is the authorisation's."""
    fields = _fields(subject, sender)
    if fields.text("DocumentReference") != number:
        raise RefusedError(
            "FIELD_VALUE", "must be the authorisation's", field="DocumentObject.DocumentReference"
        )
    fields.maybe_text("DocumentName")
    if fields.value("DocumentType", ETSI, "DocumentType") != "Warrant":
        raise RefusedError(
            "FIELD_VALUE", "must be ETSI DocumentType Warrant", field="DocumentObject.DocumentType"
        )
    fields.node("DocumentBody")
    held = fields.maybe("DocumentProperties")
    fields.end()
    properties: dict[str, str] = {}
    for one in held.children if held is not None else ():
        entry = Reader(one, "DocumentProperty")
        name = entry.value("PropertyType", OWNER, "DocumentProperty")
        if name in properties:
            raise RefusedError("FIELD_VALUE", "a property stands there twice", field="DocumentProperties")
        properties[name] = entry.text("PropertyValue")
        entry.end()
    return properties


def _revocation(authorisation: dict[str, Any], properties: dict[str, str], sender: str) -> dict[str, Any]:
    if authorisation.pop("status") != "Cancelled":
        raise RefusedError("REQUEST_SHAPE", "a request holds a task, or cancels", field="ActionRequests")
    revokes = {
        "authority": sender,
        "number": _property(properties, "RevokedNumber"),
        "sha256": _property(properties, "RevokedSha256"),
    }
    return {"kind": "revocation", "revokes": revokes, "reason": authorisation.pop("reason") or ""}


def _property(properties: dict[str, str], name: str) -> str:
    if name not in properties:
        raise RefusedError("FIELD_MISSING", "this property is missing", field=f"DocumentProperties.{name}")
    return properties.pop(name)


def _preservation(task: HI1Object, message: Message) -> dict[str, Any]:
    fields = _fields(task, message.header.sender.name)
    fields.maybe_value("DesiredStatus", ETSI, "LPTaskDesiredStatus")
    details = fields.reader("RequestDetails")
    subjects, period = _subjects(details), _period(details)
    details.end()
    until = _instant(fields, "DesiredPreservationExpiration")
    _provider(fields, message)
    fields.end()
    return {"kind": "preservation", "subjects": subjects, "period": period, "until": until}


def _disclosure_task(task: HI1Object, message: Message) -> dict[str, Any]:
    fields = _fields(task, message.header.sender.name)
    fields.maybe_text("Reference")
    fields.maybe_value("DesiredStatus", ETSI, "LDTaskDesiredStatus")
    details = fields.reader("RequestDetails")
    found: dict[str, Any] = {"type": details.value("Type", OWNER, "RequestType")}
    if found["type"] == names.MASKED_IDENTITIES:
        found["pseudonyms"] = [value for _, value in _values(details, {names.PSEUDONYM_FORMAT: "pseudonym"})]
    else:
        found["subjects"], found["period"] = _subjects(details), _period(details)
        found["mode"] = fields.value("HandlingProfile", OWNER, "Mode")
    details.end()
    found |= _delivery(fields.reader("DeliveryDetails"))
    _provider(fields, message)
    fields.end()
    return found


def _delivery(details: Reader) -> dict[str, str]:
    destination = details.reader("LDDeliveryDestination")
    details.end()
    address = destination.reader("DeliveryAddress")
    endpoint = address.reader("EndpointID")
    endpoint.text("CountryCode")
    recipient = endpoint.text("UniqueIdentifier")
    endpoint.end()
    address.end()
    acknowledger = destination.value("LDDeliveryProfile", OWNER, "Acknowledger")
    destination.end()
    return {"recipient": recipient, "acknowledger": acknowledger}


def _provider(fields: Reader, message: Message) -> None:
    held = fields.reader("CSPID")
    found = held.text("CountryCode"), held.text("UniqueIdentifier")
    held.end()
    if found != (message.header.receiver.country, message.header.receiver.name):
        raise RefusedError("FIELD_VALUE", "the task is for another operator than the message", field="CSPID")


def _supplementary(rest: dict[str, Any], properties: dict[str, str], allowed: Claims) -> dict[str, Any]:
    """Add the proofs of the court's document to the pseudonyms that the request names."""
    if not isinstance(allowed, claims.Supplementary):
        raise differs("kind")
    court = {one.pseudonym: one for one in allowed.identities}
    asked = sorted(rest.pop("pseudonyms"))
    if len(set(asked)) != len(asked):
        raise RefusedError("FIELD_VALUE", "a pseudonym is named twice", field="RequestValues")
    if not set(asked) <= court.keys():
        raise wider("identities")
    return rest | {
        "kind": "supplementary",
        "first_document": _property(properties, "FirstDocument"),
        "dossier": _property(properties, "Dossier"),
        "identities": [court[one].model_dump(mode="json") for one in asked],
    }


def _subjects(details: Reader) -> list[dict[str, str]]:
    found = [{"kind": kind, "value": _normal(kind, value)} for kind, value in _values(details, names.FORMATS)]
    return sorted(found, key=lambda one: (one["kind"], one["value"]))


def _normal(kind: str, value: str) -> str:
    if kind == "phone":
        return f"+{value}"
    return value.lower() if kind == "email" else value


def _values(details: Reader, formats: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    found = []
    for one in details.node("RequestValues").children:
        fields = Reader(one, "RequestValue")
        shape = fields.reader("FormatType")
        named = shape.text("FormatOwner"), shape.text("FormatName")
        shape.end()
        if named not in formats:
            raise RefusedError(
                "FIELD_VALUE", "a format that is not taken in", field="RequestValue.FormatType"
            )
        found.append((formats[named], fields.text("Value")))
        fields.end()
    return found


def _period(details: Reader) -> dict[str, str]:
    return {"from": _instant(details, "StartTime"), "to": _instant(details, "EndTime")}


def _instant(fields: Reader, name: str) -> str:
    """Return an instant as our own documents write it, so that one instant has one spelling."""
    try:
        return write_instant(parse_instant(fields.text(name, _MOMENT)))
    except (ValueError, OverflowError):
        raise RefusedError("FIELD_VALUE", "not an instant with an offset", field=name) from None
