"""Reading XML that may be hostile: to a tree, and to a message.

No DTD, no entities, no processing instructions, no network, UTF-8 only, and limits of size, depth and number
of elements. Loads `lxml`, so that services leave it to the processes that open documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from garim.documents.etsi.message import (
    NUMBER,
    UUID,
    VERBS,
    Action,
    HI1Object,
    Message,
    object_of,
    read_header,
)
from garim.documents.etsi.names import HI1, KINDS, XSI, core, local
from garim.documents.etsi.reader import Reader
from garim.documents.etsi.trees import MAX_BYTES, MAX_TEXT, Node
from garim.statements.refusal import RefusedError

MAX_ELEMENTS = 20_000
MAX_DEPTH = 32
MAX_ACTIONS = 600

_DECLARATION = re.compile(
    r"""<\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?(\s+standalone=["'](yes|no)["'])?\s*\?>"""
)
_TYPE = f"{{{XSI}}}type"
_HINTS = frozenset({f"{{{XSI}}}schemaLocation"})


def parse(data: bytes) -> etree._Element:
    """Parse XML within the limits.

    Args:
        data: UTF-8.

    Raises:
        RefusedError: `XML_LIMIT`, `XML_SYNTAX`, `XML_FORBIDDEN`.
    """
    if len(data) > MAX_BYTES or data.count(b"<") > 2 * MAX_ELEMENTS:
        raise RefusedError("XML_LIMIT", f"larger than {MAX_BYTES} bytes or {MAX_ELEMENTS} elements")
    body = _body(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        collect_ids=False,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        # The parser's own words may quote the message.
        raise RefusedError("XML_SYNTAX", f"not XML at line {error.lineno}") from None
    _check(root)
    return root


def _body(data: bytes) -> bytes:
    """Return the bytes after the declaration, which is the only thing that may stand before the root."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("XML_SYNTAX", "the message must be UTF-8") from None
    text = text.removeprefix("\ufeff")
    match = _DECLARATION.match(text)
    if match is not None:
        text = text[match.end() :]
    elif text.startswith("<?"):
        raise RefusedError("XML_SYNTAX", "declare XML 1.0 in UTF-8, or nothing")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise RefusedError("XML_FORBIDDEN", "a document type or entity stands in it; send none")
    if "<?" in text:
        raise RefusedError("XML_FORBIDDEN", "a processing instruction stands in it; send none")
    return text.encode()


def _check(root: etree._Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise RefusedError("XML_FORBIDDEN", "a document type stands in it; send none")
    depth = elements = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "end":
            depth -= 1
        elif event == "start":
            depth, elements = depth + 1, elements + 1
            if not isinstance(element.tag, str):
                raise RefusedError("XML_FORBIDDEN", "an entity stands in it; send none")
            if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
                raise RefusedError("XML_LIMIT", f"nested deeper than {MAX_DEPTH}, or too many elements")
    if any(True for _ in root.iter(etree.Entity)):
        raise RefusedError("XML_FORBIDDEN", "an entity stands in it; send none")


def tree_of(element: etree._Element, *, max_text: int = MAX_TEXT) -> Node:
    """Return an element as a plain tree.

    Args:
        element: Of a parsed message.
        max_text: Longest text in it, in characters.

    Raises:
        RefusedError: `XML_CONTENT`: text beside elements, an attribute other than `xsi:type`, a type whose
            prefix nothing declares, or text that is too long.
    """
    kind = ""
    for name, value in element.attrib.items():
        if name == _TYPE:
            kind = _qualified(element, str(value))
        elif name not in _HINTS:
            raise _content(element, "an attribute stands where none may")
    children = tuple(tree_of(one, max_text=max_text) for one in elements_of(element))
    pieces = [element.text or "", *(one.tail or "" for one in element)]
    text = "".join(pieces)
    if children:
        if text.strip():
            raise _content(element, "text stands beside elements")
        text = ""
    if len(text) > max_text:
        raise _content(element, f"text longer than {max_text} characters")
    return Node(str(element.tag), kind, text, children)


def elements_of(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the elements in an element, without comments."""
    return element.iterchildren(tag=etree.Element)


def _qualified(element: etree._Element, value: str) -> str:
    prefix, colon, name = value.strip().rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    if namespace is None or not name:
        raise _content(element, "the prefix of its type is not declared")
    return f"{{{namespace}}}{name}"


def _content(element: etree._Element, message: str) -> RefusedError:
    return RefusedError("XML_CONTENT", message, field=etree.QName(element).localname[:64])


def read_message(data: bytes) -> Message:
    """Read a message; who signed it, if anybody, is not looked at.

    Args:
        data: The message, or the bytes that its signature covers.

    Raises:
        RefusedError: Those of `parsing.parse`; `HI1_UNKNOWN`, `XML_CONTENT`, `FIELD_MISSING`,
            `FIELD_UNKNOWN`, `FIELD_VALUE`, `ACTION_REPEATED`.
    """
    root = parse(data)
    if root.tag != HI1:
        raise RefusedError("HI1_UNKNOWN", "the root is not an HI1Message")
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
    if NUMBER.fullmatch(number) is None:
        raise RefusedError("FIELD_VALUE", "not the number of an action", field="ActionIdentifier")
    if verb not in VERBS or parts[1].tag != core(verb):
        raise RefusedError("FIELD_UNKNOWN", "an unknown action", field="ActionRequest")
    return _read_action(int(number), verb, parts[1])


def _read_action(number: int, verb: str, element: etree._Element) -> Action:
    if verb == "GET":
        fields = Reader(tree_of(element), verb)
        target = fields.text("Identifier", UUID)
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
