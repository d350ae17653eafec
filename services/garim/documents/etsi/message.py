"""A message as TS 103 120 clause 6 has it: a header and actions on objects, or answers to them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from lxml import etree

from garim.documents.etsi.names import HI1, KINDS, core, local
from garim.documents.etsi.reader import Reader
from garim.documents.etsi.trees import MAX_BYTES, Node, elements_of, node_of, parse, tree_of
from garim.statements.refusal import RefusedError

MAX_ACTIONS = 600
VERBS = ("GET", "CREATE", "UPDATE", "LIST", "DELIVER", "GETCSPCONFIG")

_UUID = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)", re.ASCII)
_VERSION = re.compile(r"V\d{1,3}\.\d{1,3}\.\d{1,3}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """Who sends or receives (clause 6.2.3).

    Attributes:
        country: Two letters.
        name: Its identifier; an agency's or the operator's name in our profile.
    """

    country: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """A message's header (clause 6.2).

    Attributes:
        sender: Who sends it.
        receiver: Whom it is for.
        transaction: UUID, the same in request and answer.
        timestamp: As written.
        version: Of the standard: `V1.12.1`.
        profile: Owner and version of the national profile.
    """

    sender: Endpoint
    receiver: Endpoint
    transaction: str
    timestamp: str
    version: str
    profile: tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class HI1Object:
    """An object (clause 7.1).

    Attributes:
        kind: Its type: `{namespace}name`.
        identifier: UUID.
        owner: Its owner, or empty.
        generation: Which version of it; None where the message does not say.
        associated: Objects it belongs to.
        tree: All of it; of an object that is not taken in, the common part only.
    """

    kind: str
    identifier: str
    owner: str
    generation: int | None
    associated: tuple[str, ...]
    tree: Node


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One action of a request (clause 6.4).

    Attributes:
        identifier: Its number, from 0.
        verb: `GET`, `CREATE`, `UPDATE`, `LIST`, `DELIVER` or `GETCSPCONFIG`.
        target: The object it is about: UUID; empty for `LIST` and `GETCSPCONFIG`.
        subject: The object in it, for `CREATE`, `UPDATE` and `DELIVER`.
        object_type: For `LIST`: only objects of this type, as the dictionary ObjectType has it; or empty.
    """

    identifier: int
    verb: str
    target: str = ""
    subject: HI1Object | None = None
    object_type: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        header: Its header.
        actions: What is asked for; empty in an answer.
        is_answer: Whether it is an answer.
    """

    header: Header
    actions: tuple[Action, ...]
    is_answer: bool


def read_message(data: bytes) -> Message:
    """Read a message; who signed it, if anybody, is not looked at.

    Args:
        data: The message, or the bytes that its signature covers.

    Raises:
        RefusedError: Those of `trees.parse`; `MESSAGE_UNKNOWN`, `XML_CONTENT`, `FIELD_MISSING`,
            `FIELD_UNKNOWN`, `FIELD_VALUE`, `ACTION_REPEATED`.
    """
    root = parse(data)
    if root.tag != HI1:
        raise RefusedError("MESSAGE_UNKNOWN", "the root is not an HI1Message")
    parts = {local(str(one.tag)): one for one in elements_of(root)}
    for name in ("Header", "Payload"):
        if name not in parts or parts[name].tag != core(name):
            raise RefusedError("FIELD_MISSING", f"the message's {name} is missing", field=name)
    header = read_header(tree_of(parts["Header"]))
    (payload,) = _exactly_one(parts["Payload"], "Payload")
    if payload.tag == core("ResponsePayload"):
        return Message(header, (), is_answer=True)
    if payload.tag != core("RequestPayload"):
        raise RefusedError("FIELD_UNKNOWN", "neither request nor answer", field="Payload")
    (requests,) = _exactly_one(payload, "RequestPayload")
    actions = tuple(_action(one) for one in elements_of(requests))
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise RefusedError("XML_LIMIT", f"a message holds 1 to {MAX_ACTIONS} actions", field="ActionRequests")
    if len({one.identifier for one in actions}) != len(actions):
        raise RefusedError("ACTION_REPEATED", "two actions have one number", field="ActionIdentifier")
    return Message(header, actions, is_answer=False)


def read_header(tree: Node) -> Header:
    """Read a header.

    Raises:
        RefusedError: `FIELD_MISSING`, `FIELD_UNKNOWN`, `FIELD_VALUE`.
    """
    fields = Reader(tree, "Header")
    sender = _endpoint(fields.reader("SenderIdentifier"))
    receiver = _endpoint(fields.reader("ReceiverIdentifier"))
    transaction = fields.text("TransactionIdentifier", _UUID)
    timestamp = fields.text("Timestamp", _TIME)
    version = fields.reader("Version")
    written = version.text("ETSIVersion", _VERSION)
    profile = version.text("NationalProfileOwner"), version.text("NationalProfileVersion")
    version.end()
    fields.maybe_text("WorkflowIdentifier")
    fields.end()
    return Header(sender, receiver, transaction, timestamp, written, profile)


def _endpoint(fields: Reader) -> Endpoint:
    country, name = fields.text("CountryCode", re.compile("[A-Z]{2}")), fields.text("UniqueIdentifier")
    fields.end()
    return Endpoint(country, name)


def _exactly_one(element: etree._Element, name: str) -> list[etree._Element]:
    found = list(elements_of(element))
    if len(found) != 1:
        raise RefusedError("FIELD_VALUE", "holds exactly one element", field=name)
    return found


def _action(element: etree._Element) -> Action:
    parts = list(elements_of(element))
    names = [local(str(one.tag)) for one in parts]
    if element.tag != core("ActionRequest") or len(parts) != 2 or names[0] != "ActionIdentifier":
        raise RefusedError("FIELD_VALUE", "a number and one action", field="ActionRequest")
    number, verb = (parts[0].text or "").strip(), names[1]
    if _NUMBER.fullmatch(number) is None:
        raise RefusedError("FIELD_VALUE", "not the number of an action", field="ActionIdentifier")
    if verb not in VERBS or parts[1].tag != core(verb):
        raise RefusedError("FIELD_UNKNOWN", "an unknown action", field="ActionRequest")
    return _read_action(int(number), verb, parts[1])


def _read_action(number: int, verb: str, element: etree._Element) -> Action:
    if verb == "GET":
        fields = Reader(tree_of(element), verb)
        target = fields.text("Identifier", _UUID)
        fields.end()
        return Action(number, verb, target)
    if verb == "LIST":
        wanted = tree_of(element)
        fields = Reader(wanted, verb)
        entry = fields.maybe("ObjectType")
        # Filters that we do not apply would list what was not asked for.
        fields.end()
        return Action(number, verb, object_type=_object_type(entry))
    if verb == "GETCSPCONFIG":
        return Action(number, verb)
    subject = _object(element, verb)
    return Action(number, verb, subject.identifier, subject)


def _object_type(entry: Node | None) -> str:
    if entry is None:
        return ""
    owner, _, value = Reader(entry, "ObjectType").entry()
    return value if owner == "ETSI" else f"{owner}/{value}"


def _object(element: etree._Element, verb: str) -> HI1Object:
    found = [one for one in elements_of(element) if one.tag == core("HI1Object")]
    others = [one for one in elements_of(element) if one not in found]
    if len(found) != 1 or any(verb != "DELIVER" or one.tag != core("Identifier") for one in others):
        raise RefusedError("FIELD_VALUE", "holds exactly one HI1Object", field=verb)
    common = [
        one for one in elements_of(found[0]) if etree.QName(one).namespace == etree.QName(HI1).namespace
    ]
    shell = etree.Element(found[0].tag, attrib=dict(found[0].attrib), nsmap=found[0].nsmap)
    kind = tree_of(shell).kind
    if kind in KINDS:
        tree = tree_of(found[0], max_text=MAX_BYTES)
    else:
        tree = Node(core("HI1Object"), kind, "", tuple(tree_of(one) for one in common))
    return object_of(tree)


def object_of(tree: Node) -> HI1Object:
    """Return an object by its tree.

    Raises:
        RefusedError: `FIELD_MISSING`, `FIELD_VALUE`.
    """
    fields = Reader(tree, "HI1Object")
    identifier = fields.text("ObjectIdentifier", _UUID)
    owner = fields.maybe_text("OwnerIdentifier")
    generation = fields.maybe_text("Generation", _NUMBER)
    associated = fields.maybe("AssociatedObjects")
    links = associated.children if associated is not None else ()
    if any(_UUID.fullmatch(one.text) is None for one in links):
        raise RefusedError("FIELD_VALUE", "not the identifier of an object", field="AssociatedObjects")
    return HI1Object(
        tree.kind,
        identifier,
        owner or "",
        None if generation is None else int(generation),
        tuple(one.text for one in links),
        tree,
    )


def header_to_object(header: Header) -> dict[str, Any]:
    """Return a header as JSON has it."""
    return dataclasses.asdict(header)


def header_of_object(value: dict[str, Any]) -> Header:
    """Return the header that `header_to_object` wrote."""
    owner, version = value["profile"]
    ends = {name: Endpoint(**value[name]) for name in ("sender", "receiver")}
    return Header(**{**value, **ends, "profile": (owner, version)})


def message_to_object(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it, to be handed from one process to another."""
    actions = [
        {
            "identifier": one.identifier,
            "verb": one.verb,
            "target": one.target,
            "subject": None if one.subject is None else one.subject.tree.to_object(),
            "object_type": one.object_type,
        }
        for one in message.actions
    ]
    return {"header": header_to_object(message.header), "actions": actions, "is_answer": message.is_answer}


def message_of_object(value: dict[str, Any]) -> Message:
    """Return the message that `message_to_object` wrote."""
    actions = (
        Action(**{**one, "subject": None if one["subject"] is None else object_of(node_of(one["subject"]))})
        for one in value["actions"]
    )
    return Message(header_of_object(value["header"]), tuple(actions), value["is_answer"])
