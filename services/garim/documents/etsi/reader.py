"""Reading the elements of a tree one by one, so that an unknown or repeated one is refused by name."""

from __future__ import annotations

import re

from garim.documents.etsi.names import NAMESPACES, local
from garim.documents.etsi.trees import Node
from garim.statements.refusal import RefusedError


class Reader:
    """Takes elements out of an element until none is left.

    Args:
        node: The element.
        path: Where it stands, for refusals.
    """

    def __init__(self, node: Node, path: str) -> None:
        self._path = path
        self._left = list(node.children)

    def _field(self, name: str) -> str:
        return f"{self._path}.{name}"

    def all(self, name: str) -> list[Node]:
        """Take every element of a name, in one of the standard's namespaces."""
        names = {f"{{{namespace}}}{name}" for namespace in NAMESPACES}
        found = [one for one in self._left if one.tag in names]
        self._left = [one for one in self._left if one.tag not in names]
        return found

    def maybe(self, name: str) -> Node | None:
        """Take an element that may be absent.

        Raises:
            RefusedError: `FIELD_VALUE`: it stands there twice.
        """
        found = self.all(name)
        if len(found) > 1:
            raise RefusedError("FIELD_VALUE", "stands there twice", field=self._field(name))
        return found[0] if found else None

    def node(self, name: str) -> Node:
        """Take an element.

        Raises:
            RefusedError: `FIELD_MISSING`, `FIELD_VALUE`.
        """
        found = self.maybe(name)
        if found is None:
            raise RefusedError("FIELD_MISSING", "this element is missing", field=self._field(name))
        return found

    def reader(self, name: str) -> Reader:
        """Take an element and return a reader of what is in it."""
        return Reader(self.node(name), self._field(name))

    def maybe_text(self, name: str, shape: re.Pattern[str] | None = None) -> str | None:
        """Take the text of an element that may be absent.

        Raises:
            RefusedError: `FIELD_VALUE`: it holds elements, or the text has another shape.
        """
        found = self.maybe(name)
        if found is None:
            return None
        text = found.text.strip()
        if found.children or not text or (shape is not None and shape.fullmatch(text) is None):
            raise RefusedError("FIELD_VALUE", "holds something else than it must", field=self._field(name))
        return text

    def text(self, name: str, shape: re.Pattern[str] | None = None) -> str:
        """Take the text of an element.

        Raises:
            RefusedError: `FIELD_MISSING`, `FIELD_VALUE`.
        """
        found = self.maybe_text(name, shape)
        if found is None:
            raise RefusedError("FIELD_MISSING", "this element is missing", field=self._field(name))
        return found

    def entry(self) -> tuple[str, str, str]:
        """Take all: a dictionary entry's owner, name and value."""
        found = self.text("Owner"), self.text("Name"), self.text("Value")
        self.end()
        return found

    def value(self, name: str, owner: str, dictionary: str) -> str:
        """Take an entry of one dictionary.

        Raises:
            RefusedError: `FIELD_MISSING`, `FIELD_VALUE`: it is of another dictionary.
        """
        found = self.reader(name).entry()
        if found[:2] != (owner, dictionary):
            message = f"must be an entry of {owner} {dictionary}"
            raise RefusedError("FIELD_VALUE", message, field=self._field(name))
        return found[2]

    def maybe_value(self, name: str, owner: str, dictionary: str) -> str | None:
        """Take an entry of one dictionary that may be absent."""
        if all(local(one.tag) != name for one in self._left):
            return None
        return self.value(name, owner, dictionary)

    def end(self) -> None:
        """Demand that nothing is left.

        Raises:
            RefusedError: `FIELD_UNKNOWN`.
        """
        if self._left:
            name = local(self._left[0].tag)[:64]
            raise RefusedError("FIELD_UNKNOWN", "this profile does not know it here", field=self._field(name))
