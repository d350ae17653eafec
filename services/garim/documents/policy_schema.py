"""The policy file's published schema: JSON Schema (draft 2020-12), generated from the model.

`policy.schema.json` beside this file is its output; a test compares them. The model judges more than a
schema can say: order, ids that stand once, a legal basis for every rule.
"""

from __future__ import annotations

import json
from typing import Any

from garim.documents.policy_model import PolicyFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> bytes:
    """Return the schema as it is published: UTF-8 JSON, indented, one final line feed."""
    schema = {"$schema": _DIALECT, **_portable(PolicyFile.model_json_schema(by_alias=True))}
    schema["title"] = "Garim policy"
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def _portable(node: Any) -> Any:
    """Return a schema whose patterns other tools read: ECMA 262 knows no end-of-text mark but `$`."""
    if isinstance(node, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" else _portable(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_portable(value) for value in node]
    return node
