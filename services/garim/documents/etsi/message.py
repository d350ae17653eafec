"""A message as TS 103 120 clause 6 has it: a header and actions on objects, or answers to them."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from garim.documents.etsi.reader import Reader
from garim.documents.etsi.trees import Node, node_of
from garim.statements.refusal import RefusedError

VERBS = ("GET", "CREATE", "UPDATE", "LIST", "DELIVER", "GETCSPCONFIG")

UUID = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)", re.ASCII)
_VERSION = re.compile(r"V\d{1,3}\.\d{1,3}\.\d{1,3}", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,9}")


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


def read_header(tree: Node) -> Header:
    """Read a header.

    Raises:
        RefusedError: `FIELD_MISSING`, `FIELD_UNKNOWN`, `FIELD_VALUE`.
    """
    fields = Reader(tree, "Header")
    sender = _endpoint(fields.reader("SenderIdentifier"))
    receiver = _endpoint(fields.reader("ReceiverIdentifier"))
    transaction = fields.text("TransactionIdentifier", UUID)
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


def object_of(tree: Node) -> HI1Object:
    """Return an object by its tree.

    Raises:
        RefusedError: `FIELD_MISSING`, `FIELD_VALUE`.
    """
    fields = Reader(tree, "HI1Object")
    identifier = fields.text("ObjectIdentifier", UUID)
    owner = fields.maybe_text("OwnerIdentifier")
    generation = fields.maybe_text("Generation", NUMBER)
    associated = fields.maybe("AssociatedObjects")
    links = associated.children if associated is not None else ()
    if any(UUID.fullmatch(one.text) is None for one in links):
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
