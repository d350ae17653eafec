"""The plain tree of a message: values that everything but the parser works on, and how one is written."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from garim.documents.etsi.names import PREFIXES

MAX_BYTES = 8 * 1024 * 1024
"""Size of a message."""
MAX_TEXT = 65_535
"""Characters of a LongString (TS 103 280); only the body of a document may be longer."""

_BY_NAMESPACE = {namespace: prefix for prefix, namespace in PREFIXES.items()}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no place for (section 2.2)."""


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


def write(node: Node) -> bytes:
    """Return a tree as an XML document in our own prefixes.

    Args:
        node: The root.
    """
    declared = "".join(
        f" xmlns{f':{prefix}' if prefix else ''}={quoteattr(namespace)}"
        for prefix, namespace in PREFIXES.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_written(node, declared)}\n'.encode()


def _written(node: Node, declared: str = "") -> str:
    name = _name(node.tag)
    kind = f' xsi:type="{_name(node.kind)}"' if node.kind else ""
    inside = "".join(_written(one) for one in node.children)
    text = escape(_NO_XML.sub("\ufffd", node.text), {"\r": "&#13;"})
    return f"<{name}{declared}{kind}>{text}{inside}</{name}>"


def _name(tag: str) -> str:
    namespace, _, local = tag[1:].partition("}")
    prefix = _BY_NAMESPACE[namespace]
    return f"{prefix}:{local}" if prefix else local


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
