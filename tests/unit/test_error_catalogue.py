"""The catalogue of reasons and the table of callers in protos/README.md say what the code does."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
README = ROOT / "protos" / "README.md"
SOURCE = ROOT / "services" / "garim"

UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]{3,}|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (.+) \| (.+) \|$", re.MULTILINE)

# Arguments whose values are names on a command line or in an environment, not reasons.
OTHER_ARGUMENTS = {"metavar", "envvar", "field", "help"}
# Words in capitals that are no reasons, and what they are.
OTHER_WORDS = {
    "ANSWER": "a place holder of the command line",
    "BEGIN": "SQL",
    "CASE": "a place holder of the command line",
    "CREATE": "an HI1 action",
    "CSPID": "an element of HI1",
    "DATAFOG_NO_TELEMETRY": "an environment variable of a bench's peer",
    "DELETE": "SQL",
    "DELIVER": "an HI1 action",
    "DO_NOT_TRACK": "an environment variable of a bench's peer",
    "ES256": "a signature algorithm",
    "ETSI": "owner of the standard's dictionaries",
    "FILE": "a place holder of the command line",
    "FOLDER": "a place holder of the command line",
    "GARIM": "owner of our dictionaries",
    "GETCSPCONFIG": "an HI1 action",
    "GRPC_VERBOSITY": "an environment variable of gRPC",
    "LIST": "an HI1 action",
    "NFKC": "a Unicode form",
    "NONE": "a level of gRPC's own log",
    "PACKAGE": "a place holder of the command line",
    "POST": "a method of HTTP",
    "REQUEST": "a place holder of the command line",
    "RIGHTS": "a name that a package exports",
    "SC_CLK_TCK": "a name of sysconf",
    "TEST": "the demo's reason for a decision that is refused",
    "UPDATE": "SQL, and an HI1 action",
    "XX001": "a code of PostgreSQL",
    "XX002": "a code of PostgreSQL",
}
# Info types are listed in masking and, apart from it, in the leak scan.
OTHER_FILES = {SOURCE / "masking" / "infotype.py", SOURCE / "leakscan" / "found.py"}


@functools.cache
def words_in(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that a file could give as reasons, and those that it compares reasons with."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    compared: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in OTHER_ARGUMENTS:
            skipped.add(id(node.value))
        if isinstance(node, ast.Compare):
            for part in ast.walk(node):
                skipped.add(id(part))
            words = {word for part in ast.walk(node) for word in capitals(part)}
            if words and "reason" in ast.unparse(node):
                compared |= words
    given = {word for node in ast.walk(tree) if id(node) not in skipped for word in capitals(node)}
    return frozenset(given - OTHER_WORDS.keys()), frozenset(compared - OTHER_WORDS.keys())


def capitals(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and UPPER_SNAKE.fullmatch(node.value):
        return [node.value]
    return []


def sources() -> list[Path]:
    found = [path for path in SOURCE.rglob("*.py") if SOURCE / "api" not in path.parents]
    assert len(found) > 100
    return [path for path in found if path not in OTHER_FILES]


def given() -> dict[str, str]:
    """Return each reason that the code gives, with one file that gives it."""
    return {word: str(path.relative_to(SOURCE)) for path in sources() for word in words_in(path)[0]}


def listed() -> list[str]:
    text = README.read_text(encoding="utf-8")
    return [row[0] for row in ROW.findall(text.partition("## Reasons of refusal")[2])]


def test_each_reason_that_the_code_gives_is_in_the_catalogue() -> None:
    missing = {reason: place for reason, place in given().items() if reason not in listed()}
    assert not missing, f"add to protos/README.md: {missing}"


def test_each_reason_in_the_catalogue_still_occurs() -> None:
    gone = sorted(set(listed()) - given().keys())
    assert not gone, f"remove from protos/README.md: {gone}"


def test_each_reason_is_listed_once() -> None:
    assert sorted(listed()) == sorted(set(listed()))


def test_each_reason_that_the_code_compares_with_is_one_that_it_gives() -> None:
    compared = {word: path.name for path in sources() for word in words_in(path)[1]}
    assert not {word: name for word, name in compared.items() if word not in given()}


def test_each_reason_that_an_rpc_promises_is_in_the_catalogue() -> None:
    known = set(listed())
    unknown = []
    for path in sorted((ROOT / "protos").rglob("*.proto")):
        comments = re.sub(r"\n\s*//", "", path.read_text(encoding="utf-8"))
        for sentence in re.findall(r"Reasons: ([^.]*)\.", comments):
            for word in re.findall(r"[A-Z][A-Z_]{3,}\*?", sentence):
                stem = word.removesuffix("*")
                if word not in known and not (word != stem and any(one.startswith(stem) for one in known)):
                    unknown.append(f"{path.name}: {word}")
    assert not unknown


def test_the_catalogue_notices_a_reason_that_nobody_listed(tmp_path: Path) -> None:
    source = tmp_path / "new.py"
    source.write_text(
        'raise RefusedError("NOBODY_LISTED_THIS", "text")\nif error.reason == "COMPARED_ONLY": pass\n'
    )
    assert words_in(source) == ({"NOBODY_LISTED_THIS"}, {"COMPARED_ONLY"})


def test_the_table_of_callers_is_what_the_protos_say() -> None:
    text = README.read_text(encoding="utf-8")
    assert script("access_table").written(text) == text, "run python protos/access_table.py"


def test_the_generated_catalogue_has_each_reason_with_what_the_code_says_of_it() -> None:
    entries = {one.reason: one for one in script("errors").catalogue(README.read_text(encoding="utf-8"))}
    assert sorted(entries) == sorted(listed())
    assert (entries["ACCESS_DENIED"].statuses, entries["ACCESS_DENIED"].retry) == (
        ("PERMISSION_DENIED",),
        "no",
    )
    assert (entries["DEADLINE_TOO_SHORT"].statuses, entries["DEADLINE_TOO_SHORT"].retry) == (
        ("UNAVAILABLE",),
        "yes",
    )
    assert entries["CASE_UNKNOWN"].files
    # Reasons that stand in tables, or only in an answer, have no status beside them.
    assert sum(one.retry == "unknown" for one in entries.values()) < len(entries) / 10


def test_the_contract_suite_expects_reasons_of_the_catalogue_only() -> None:
    from garim.testing.contract.own import OWN

    expected = {one.expected.partition(" ")[2] for own in OWN.values() for one in own} - {""}
    assert expected <= set(listed())


def script(name: str) -> ModuleType:
    """Return a script beside the protos, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "protos" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module
