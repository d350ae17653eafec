"""Write the catalogue of reasons for programs and people: README.md's words, and what the code says of each.

Usage: python protos/errors.py TARGET (a file that ends in .json or .md)

What people wrote stays in README.md. From the code come the statuses that a reason is given with, whether the
same call may succeed later, and which files give it.
"""

from __future__ import annotations

import ast
import json
import pathlib
import re
import sys
from dataclasses import asdict, dataclass

from garim.kit.errors import CODES
from garim.statements.refusal import Kind

README = pathlib.Path(__file__).parent / "README.md"
SOURCE = pathlib.Path(__file__).parents[1] / "services" / "garim"
_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (.+) \| (.+) \|$", re.MULTILINE)
_CHAPTER = re.compile(r"^### (.+)$", re.MULTILINE)
_WAITING_HELPS = {Kind.UNAVAILABLE, Kind.EXHAUSTED}
_REFUSAL = "RefusedError"


@dataclass(frozen=True, slots=True)
class Entry:
    """One reason.

    Attributes:
        reason: Its name.
        chapter: Heading in README.md.
        meaning: What is wrong.
        action: What to do.
        statuses: gRPC statuses that the code names beside it; empty where the code takes both from elsewhere.
        retry: `yes`, `no`, `sometimes` (it depends on the status), or `unknown` without statuses.
        files: Where it is given, below services/garim.
    """

    reason: str
    chapter: str
    meaning: str
    action: str
    statuses: tuple[str, ...]
    retry: str
    files: tuple[str, ...]


def catalogue(text: str) -> list[Entry]:
    """Return all reasons that a README lists, in its order.

    Args:
        text: Its text.
    """
    given = _given()
    entries = []
    for chapter, rows in _chapters(text.partition("## Reasons of refusal")[2]):
        for reason, meaning, action in rows:
            kinds, files = given.get(reason, (set(), set()))
            statuses = sorted(CODES[kind].name for kind in kinds)
            entries.append(
                Entry(reason, chapter, meaning, action, tuple(statuses), _retry(kinds), tuple(sorted(files)))
            )
    return entries


def as_markdown(entries: list[Entry]) -> str:
    """Return the catalogue as one table."""
    lines = ["| reason | status | retry | meaning | what to do |", "|---|---|---|---|---|"]
    lines += [
        f"| `{one.reason}` | {', '.join(one.statuses)} | {one.retry} | {one.meaning} | {one.action} |"
        for one in entries
    ]
    return "\n".join(lines) + "\n"


def main(target: pathlib.Path) -> int:
    """Write the catalogue.

    Args:
        target: A file that ends in `.json` or `.md`.
    """
    entries = catalogue(README.read_text(encoding="utf-8"))
    listed = {"domain": "garim", "reasons": [asdict(one) for one in entries]}
    as_json = json.dumps(listed, ensure_ascii=False, indent=1) + "\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(as_json if target.suffix == ".json" else as_markdown(entries), encoding="utf-8")
    return 0


def _chapters(text: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    parts = _CHAPTER.split(text)
    return [(parts[at], _ROW.findall(parts[at + 1])) for at in range(1, len(parts), 2)]


def _retry(kinds: set[Kind]) -> str:
    if not kinds:
        return "unknown"
    helped = kinds & _WAITING_HELPS
    return "yes" if helped == kinds else "sometimes" if helped else "no"


def _given() -> dict[str, tuple[set[Kind], set[str]]]:
    """Return the kinds and files of each reason that stands as a refusal's first argument."""
    found: dict[str, tuple[set[Kind], set[str]]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if {SOURCE / "api", SOURCE / "testing"} & set(path.parents):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        makers = _makers(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers:
                for reason in _reasons(node):
                    kinds, files = found.setdefault(reason, (set(), set()))
                    kinds.add(_kind(node, makers[node.func.id]))
                    files.add(str(path.relative_to(SOURCE)))
    return found


def _makers(tree: ast.Module) -> dict[str, Kind]:
    """Return what makes a refusal of its first argument, with the kind where the call names none."""
    makers = {_REFUSAL: Kind.INVALID}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.args.args:
            first = function.args.args[0].arg
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    passed = isinstance(node.args[0], ast.Name) and node.args[0].id == first
                    if passed and node.func.id == _REFUSAL:
                        makers[function.name] = _kind(node, Kind.INVALID)
    return makers


def _reasons(call: ast.Call) -> list[str]:
    words = (
        [one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant)] if call.args else []
    )
    return [word for word in words if isinstance(word, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", word)]


def _kind(call: ast.Call, otherwise: Kind) -> Kind:
    named = next((one.value for one in call.keywords if one.arg == "kind"), None)
    if isinstance(named, ast.Attribute) and named.attr in Kind.__members__:
        return Kind[named.attr]
    return otherwise


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
