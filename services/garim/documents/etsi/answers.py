"""Answers: what became of each action, with the standard's error codes (TS 103 120 clause 6.4, annex D)."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from garim.documents.etsi import names
from garim.documents.etsi.message import Endpoint, Header
from garim.documents.etsi.names import COMMON, CORE, ETSI
from garim.documents.etsi.trees import MAX_TEXT, Node, branch, leaf
from garim.documents.etsi.write import message, timestamp
from garim.documents.fields import write_instant
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError


class ErrorCode(enum.IntEnum):
    """Error codes (annex D, table D.1)."""

    BUSINESS_LOGIC = 3000
    FEATURE_NOT_SUPPORTED = 3001
    DUPLICATE_ACTION = 3002
    TRANSIENT = 3003
    ELEMENT_MISSING = 3005
    CHANGE_NOT_ALLOWED = 3006
    VALUE_IMPROPER = 3007
    VALUE_NOT_FOUND = 3009
    OBJECT_EXISTS = 3010
    UPDATE_OBJECT_UNKNOWN = 3011
    GET_OBJECT_UNKNOWN = 3014
    LINK_UNKNOWN = 3016
    VALIDATION = 3020
    VERSION_NOT_SUPPORTED = 3021
    MESSAGE_TOO_LARGE = 3022


CODES = {
    "ACTION_REPEATED": ErrorCode.DUPLICATE_ACTION,
    "ACTION_UNSUPPORTED": ErrorCode.FEATURE_NOT_SUPPORTED,
    "OBJECT_UNSUPPORTED": ErrorCode.FEATURE_NOT_SUPPORTED,
    "REQUEST_SHAPE": ErrorCode.ELEMENT_MISSING,
    "FIELD_MISSING": ErrorCode.ELEMENT_MISSING,
    "SIGNATURE_MISSING": ErrorCode.ELEMENT_MISSING,
    "FIELD_VALUE": ErrorCode.VALUE_IMPROPER,
    "FIELD_UNKNOWN": ErrorCode.FEATURE_NOT_SUPPORTED,
    "REQUEST_WIDER": ErrorCode.VALUE_IMPROPER,
    "REQUEST_DIFFERS": ErrorCode.VALUE_IMPROPER,
    "BODY_UNREADABLE": ErrorCode.VALUE_IMPROPER,
    "OBJECT_EXISTS": ErrorCode.OBJECT_EXISTS,
    "DOCUMENT_NUMBER_USED": ErrorCode.OBJECT_EXISTS,
    "OBJECT_UNKNOWN": ErrorCode.GET_OBJECT_UNKNOWN,
    "UPDATE_UNKNOWN": ErrorCode.UPDATE_OBJECT_UNKNOWN,
    "UPDATE_REFUSED": ErrorCode.CHANGE_NOT_ALLOWED,
    "GENERATION_STALE": ErrorCode.CHANGE_NOT_ALLOWED,
    "LINK_WRONG": ErrorCode.LINK_UNKNOWN,
    "FIRST_DOCUMENT_UNKNOWN": ErrorCode.VALUE_NOT_FOUND,
    "OFFENCE_NOT_LISTED": ErrorCode.VALUE_IMPROPER,
    "XML_SYNTAX": ErrorCode.VALIDATION,
    "XML_FORBIDDEN": ErrorCode.VALIDATION,
    "XML_CONTENT": ErrorCode.VALIDATION,
    "SCHEMA_INVALID": ErrorCode.VALIDATION,
    "HI1_UNKNOWN": ErrorCode.VALIDATION,
    "MESSAGE_IS_ANSWER": ErrorCode.VALIDATION,
    "XML_LIMIT": ErrorCode.MESSAGE_TOO_LARGE,
    "PROFILE_UNKNOWN": ErrorCode.VERSION_NOT_SUPPORTED,
    "VERSION_UNKNOWN": ErrorCode.VERSION_NOT_SUPPORTED,
}
"""The code of each of our reasons; what is not named here is an error of business logic."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """Why an action, or a whole message, was not carried out (ActionUnsuccesfulInformation).

    Attributes:
        code: Of table D.1.
        description: Our reasons with their fields, for machines and for people.
    """

    code: ErrorCode
    description: str

    def tree(self, namespace: str, name: str) -> Node:
        """Return it as an element."""
        description = leaf(CORE, "ErrorDescription", self.description[:MAX_TEXT])
        return branch(namespace, name, leaf(CORE, "ErrorCode", str(int(self.code))), description)


def failure_of(refusal: RefusedError) -> Failure:
    """Return a refusal as the standard has it."""
    if refusal.kind in (Kind.UNAVAILABLE, Kind.EXHAUSTED):
        # Why we cannot answer is ours to know.
        return Failure(ErrorCode.TRANSIENT, "the message cannot be carried out now: send it again later")
    parts = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
    described = (f"{one.reason}{f' ({one.field})' if one.field else ''}: {one.message}" for one in parts)
    return Failure(CODES.get(parts[0].reason, ErrorCode.BUSINESS_LOGIC), "; ".join(described))


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One line of a list (clause 6.4.9).

    Attributes:
        kind: Type of the object: `{namespace}name`.
        identifier: Of the object.
        owner: Its owner.
        generation: Which version of it is kept.
        changed_ms: When it last changed, milliseconds since 1970.
    """

    kind: str
    identifier: str
    owner: str
    generation: int
    changed_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action.

    Attributes:
        action: Its number.
        verb: Its name; without meaning for a failure.
        identifier: The object it was about.
        subject: The object as it now is, where the answer holds it.
        records: For `LIST`.
        failure: Why it was not carried out.
    """

    action: int
    verb: str = ""
    identifier: str = ""
    subject: Node | None = None
    records: tuple[Record, ...] = ()
    failure: Failure | None = None

    def tree(self) -> Node:
        """Return it as an element."""
        if self.failure is not None:
            inside = self.failure.tree(CORE, "ErrorInformation")
        elif self.verb == "GET":
            inside = branch(CORE, "GETResponse", self.subject)
        elif self.verb == "LIST":
            inside = branch(CORE, "LISTResponse", *(_record(one) for one in self.records))
        else:
            named = leaf(CORE, "Identifier", self.identifier)
            inside = branch(CORE, f"{self.verb}Response", named, self.subject)
        return branch(CORE, "ActionResponse", leaf(CORE, "ActionIdentifier", str(self.action)), inside)


def _record(one: Record) -> Node:
    return branch(
        CORE,
        "ListResponseRecord",
        _entry("ObjectType", "ObjectType", names.OBJECT_TYPES[one.kind], CORE),
        leaf(CORE, "Identifier", one.identifier),
        leaf(CORE, "OwnerIdentifier", one.owner),
        leaf(CORE, "Generation", str(one.generation)),
        leaf(CORE, "LastChanged", _seconds(one.changed_ms)),
    )


def _entry(element: str, dictionary: str, value: str, namespace: str) -> Node:
    parts = zip(("Owner", "Name", "Value"), (ETSI, dictionary, value), strict=True)
    return branch(namespace, element, *(leaf(COMMON, name, text) for name, text in parts))


def _seconds(instant_ms: int) -> str:
    return write_instant(instant_ms - instant_ms % 1000)


UNREADABLE_HEADER = Header(
    Endpoint("XX", "unknown"),
    Endpoint("XX", "unknown"),
    "00000000-0000-0000-0000-000000000000",
    "1970-01-01T00:00:00.000000Z",
    names.ETSI_VERSION,
    (names.OWNER, names.PROFILE_VERSION),
)
"""What an answer names where the message's own header cannot be read."""


def answer(header: Header, outcomes: Sequence[Outcome] | Failure, now_ms: int) -> bytes:
    """Return the answer to a message.

    Args:
        header: The message's own: sender, receiver and transaction are repeated (as in the standard's
            examples).
        outcomes: What became of each action; or why the whole message was not looked at (clause 9.2.2).
        now_ms: Time of the answer, milliseconds since 1970.
    """
    stamped = dataclasses.replace(header, timestamp=timestamp(now_ms))
    if isinstance(outcomes, Failure):
        inside = outcomes.tree(CORE, "ErrorInformation")
    else:
        inside = branch(CORE, "ActionResponses", *(one.tree() for one in outcomes))
    return message(stamped, branch(CORE, "ResponsePayload", inside))


_BEFORE_STATUS = {
    names.AUTHORISATION_OBJECT: ("AuthorisationReference", "AuthorisationLegalType", "AuthorisationPriority"),
    names.DOCUMENT_OBJECT: ("DocumentReference", "DocumentName"),
    names.DISCLOSURE_TASK: ("Reference",),
    names.PRESERVATION_TASK: (),
}
"""What stands before the status in each object's own part."""
_STATUS = {
    names.AUTHORISATION_OBJECT: ("AuthorisationStatus", "AuthorisationStatus"),
    names.DOCUMENT_OBJECT: ("DocumentStatus", "DocumentStatus"),
    names.DISCLOSURE_TASK: ("Status", "LDTaskStatus"),
    names.PRESERVATION_TASK: ("Status", "LPTaskStatus"),
}
"""Element and dictionary of each object's status."""


def with_status(
    tree: Node, *, status: str, generation: int, changed_ms: int, reason: Failure | None = None
) -> Node:
    """Return an object as its owner sees it.

    Args:
        tree: As it was created.
        status: Entry of the status dictionary of its type.
        generation: Which version of it this is.
        changed_ms: When it last changed, milliseconds since 1970.
        reason: For a task: why it has this status.
    """
    namespace = tree.kind[1:].partition("}")[0]
    element, dictionary = _STATUS[tree.kind]
    set_by_us = {"Generation", "LastChanged", element, "StatusReason"}
    common = [one for one in tree.children if one.tag.startswith(f"{{{CORE}}}")]
    own = [one for one in tree.children if one not in common and names.local(one.tag) not in set_by_us]
    kept = {names.local(one.tag): one for one in common}
    kept["Generation"] = leaf(CORE, "Generation", str(generation))
    kept["LastChanged"] = leaf(CORE, "LastChanged", _seconds(changed_ms))
    first = [one for one in own if names.local(one.tag) in _BEFORE_STATUS[tree.kind]]
    states = [_entry(element, dictionary, status, namespace)]
    if reason is not None and element == "Status":
        states.append(reason.tree(namespace, "StatusReason"))
    ordered = [kept[name] for name in _COMMON if name in kept]
    rest = [one for one in own if one not in first]
    return dataclasses.replace(tree, children=(*ordered, *first, *states, *rest))


_COMMON = (
    "ObjectIdentifier",
    "CountryCode",
    "OwnerIdentifier",
    "Generation",
    "ExternalIdentifier",
    "AssociatedObjects",
    "LastChanged",
)
