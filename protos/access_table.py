"""Write the table of callers in README.md from the access option of each RPC.

Usage: python protos/access_table.py
"""

from __future__ import annotations

import pathlib
import sys

from google.protobuf import descriptor

from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.access import rule_of

README = pathlib.Path(__file__).parent / "README.md"
BEGIN, END = "<!-- access table -->\n", "<!-- end of access table -->\n"
_FILES = (messages_pb2, warrants_pb2, redaction_pb2, custody_pb2, audit_pb2)


def services() -> list[descriptor.ServiceDescriptor]:
    """Return the services of the mesh in the order of the README."""
    return [service for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]


def table() -> str:
    """Return the table of all RPCs: who may call each, whether it may be repeated, how long it may take."""
    lines = ["| RPC | callers | repeatable | seconds |", "|---|---|---|---|"]
    for service in services():
        for method in service.methods:
            rule = rule_of(method)
            callers = ", ".join(f"`{caller}`" for caller in sorted(rule.callers))
            repeatable = "yes" if rule.idempotent else "no"
            lines.append(f"| {service.name}.{method.name} | {callers} | {repeatable} | {rule.deadline_s} |")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """Return a README's text with the table in its place.

    Args:
        text: The text, with both marks in it.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


def main() -> int:
    """Write the table into the README."""
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
