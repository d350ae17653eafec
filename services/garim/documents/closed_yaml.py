"""YAML as the policy file uses it: plain mappings, lists, texts, whole numbers, true, false and null."""

from __future__ import annotations

import re
from typing import Any

import yaml

from garim.statements.refusal import RefusedError

MAX_BYTES = 1024 * 1024
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "bool", "null"))


class _Loader(yaml.SafeLoader):
    """A loader that knows only the JSON types of YAML's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    ("null", r"null", "n"),
    ("bool", r"true|false", "tf"),
    ("int", r"0|-?[1-9][0-9]{0,14}", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def parse_mapping(data: bytes) -> dict[str, Any]:
    """Parse one YAML document that is a mapping.

    Args:
        data: UTF-8 bytes. Dates stay texts.

    Raises:
        RefusedError: `POLICY_SYNTAX`: no such YAML, more than one document, an alias, an anchor, a tag, a key
            that repeats or is no text.
    """
    if len(data) > MAX_BYTES:
        raise RefusedError("POLICY_SYNTAX", f"larger than {MAX_BYTES} bytes")
    try:
        loader = _Loader(data.decode("utf-8"))
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                raise RefusedError("POLICY_SYNTAX", "the file must be one mapping")
            _check(node, set())
            value: dict[str, Any] = loader.construct_document(node)
        finally:
            loader.dispose()
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise RefusedError("POLICY_SYNTAX", f"not readable as YAML{where}") from None
    return value


def _check(node: yaml.Node, seen: set[int]) -> None:
    where = f"at line {node.start_mark.line + 1}"
    if id(node) in seen:
        raise RefusedError("POLICY_SYNTAX", f"an alias points {where}; write it out")
    seen.add(id(node))
    if node.tag not in _TAGS:
        raise RefusedError("POLICY_SYNTAX", f"a tag stands {where} that the file may not use")
    if isinstance(node, yaml.MappingNode):
        keys = [
            key.value
            for key, _ in node.value
            if isinstance(key, yaml.ScalarNode) and key.tag.endswith(":str")
        ]
        if len(set(keys)) != len(node.value):
            raise RefusedError("POLICY_SYNTAX", f"a key repeats or is no text in the mapping {where}")
        for _, value in node.value:
            _check(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check(value, seen)
