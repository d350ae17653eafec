"""Reading XML that may be hostile, and the plain tree that everything else works on.

No DTD, no entities, no processing instructions, no network, UTF-8 only, and limits of size, depth and number
of elements that hold before a tree is built. A tree is values only; nothing outside this package and its
signatures sees `lxml`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from garim.documents.etsi.names import PREFIXES, XSI
from garim.statements.refusal import RefusedError

MAX_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 32
MAX_TEXT = 65_535
"""Characters of a LongString (TS 103 280); only the body of a document may be longer."""

_DECLARATION = re.compile(
    r"""<\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?(\s+standalone=["'](yes|no)["'])?\s*\?>"""
)
_TYPE = f"{{{XSI}}}type"
_HINTS = frozenset({f"{{{XSI}}}schemaLocation"})


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """One element.

    Attributes:
        tag: `{namespace}name`.
        kind: The type that `xsi:type` names, `{namespace}name`; empty without.
        text: Its text, where it has no elements in it.
        children: The elements in it.
    """

    tag: str
    kind: str = ""
    text: str = ""
    children: tuple[Node, ...] = ()

    def to_object(self) -> list[Any]:
        """Return the tree as JSON has it; `node_of` reads it back."""
        return [self.tag, self.kind, self.text, [one.to_object() for one in self.children]]


def node_of(value: list[Any]) -> Node:
    """Return the tree that `Node.to_object` wrote."""
    tag, kind, text, children = value
    return Node(tag, kind, text, tuple(node_of(one) for one in children))


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


def write(node: Node) -> bytes:
    """Return a tree as an XML document in our own prefixes, canonical but for the declaration.

    Args:
        node: The root.
    """
    prefixes: dict[str | None, str] = dict(PREFIXES)
    root = etree.Element(node.tag, nsmap=prefixes)
    _fill(root, node, {namespace: prefix for prefix, namespace in prefixes.items()})
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, method="c14n") + b"\n"


def _fill(element: etree._Element, node: Node, prefixes: dict[str, str | None]) -> None:
    if node.kind:
        name = etree.QName(node.kind)
        prefix = prefixes.get(str(name.namespace))
        element.set(_TYPE, f"{prefix}:{name.localname}" if prefix else name.localname)
    if node.text:
        element.text = node.text
    for child in node.children:
        _fill(etree.SubElement(element, child.tag), child, prefixes)


def leaf(namespace: str, name: str, text: str) -> Node:
    """Return an element that holds text."""
    return Node(f"{{{namespace}}}{name}", text=text)


def branch(namespace: str, name: str, *children: Node | None, kind: str = "") -> Node:
    """Return an element that holds elements; None stands for one that is left out."""
    return Node(f"{{{namespace}}}{name}", kind=kind, children=tuple(one for one in children if one))


def find(node: Node, *names: str) -> Node | None:
    """Return the first element down a path of local names, whatever their namespaces, or None."""
    here: Node | None = node
    for name in names:
        children: Iterable[Node] = here.children if here is not None else ()
        here = next((one for one in children if one.tag.rpartition("}")[2] == name), None)
    return here
