"""Validation against the standard's schemas, where an operator has them; they are not ours to ship."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from garim.documents.etsi.parsing import parse
from garim.statements.refusal import Kind, RefusedError

_XS = "http://www.w3.org/2001/XMLSchema"
_SCHEME = "schemas:"


class Schemas:
    """The schemas of one version, loaded.

    Args:
        files: Every schema file's bytes by its name, those of TS 103 280 and XMLDSig among them. Which file
            imports which is found by namespace: the standard's files do not say where the others lie.

    Raises:
        RefusedError: `SCHEMAS_UNUSABLE`.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        try:
            self._schema = etree.XMLSchema(_together(files))
        except (etree.LxmlError, KeyError):
            raise RefusedError(
                "SCHEMAS_UNUSABLE",
                "the folder of schemas lacks one, or holds something else",
                kind=Kind.PRECONDITION,
            ) from None

    def demand(self, data: bytes) -> None:
        """Return if a message is valid.

        Args:
            data: The message.

        Raises:
            RefusedError: `SCHEMA_INVALID`, and those of `parsing.parse`.
        """
        if not self._schema.validate(parse(data)):
            # The validator's own words quote the message.
            line = self._schema.error_log[0].line if self._schema.error_log else 0
            raise RefusedError("SCHEMA_INVALID", f"the message does not fit the schemas, at line {line}")


class _Held(etree.Resolver):
    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self._files = files

    def resolve(self, system_url: str | None, _public_id: str | None, context: Any) -> Any:
        name = (system_url or "").removeprefix(_SCHEME)
        return self.resolve_string(self._files.get(name, b""), context)


def _together(files: Mapping[str, bytes]) -> etree._Element:
    """Return a schema that imports all of them, each from the bytes at hand and nowhere else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    held: dict[str, bytes] = {}
    spaces: dict[str, str] = {}
    for name, data in files.items():
        root = etree.fromstring(data, parser)
        spaces.setdefault(str(root.get("targetNamespace")), name)
        held[name] = etree.tostring(_located(root, {}))
    held = {
        name: etree.tostring(_located(etree.fromstring(data, parser), spaces)) for name, data in held.items()
    }
    reading = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    reading.resolvers.add(_Held(held))
    whole = etree.Element(f"{{{_XS}}}schema", nsmap={"xs": _XS})
    for space, name in spaces.items():
        etree.SubElement(whole, f"{{{_XS}}}import", namespace=space, schemaLocation=_SCHEME + name)
    return etree.fromstring(etree.tostring(whole), reading)


def _located(root: etree._Element, spaces: Mapping[str, str]) -> etree._Element:
    for one in root.findall(f"{{{_XS}}}import"):
        space = str(one.get("namespace"))
        if space in spaces:
            one.set("schemaLocation", _SCHEME + spaces[space])
        elif "schemaLocation" in one.attrib:
            del one.attrib["schemaLocation"]
    return root
