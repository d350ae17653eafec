"""Ground rules of the repository that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services" / "garim"
ADR = ROOT / "services" / "adr"

TOP_LEVEL = {
    ".ci",
    ".dockerignore",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "deploy",
    "protos",
    "pyproject.toml",
    "requirements.lock",
    "services",
    "tests",
}
MESH = ("audit", "custody", "messages", "redaction", "warrants")

MAX_LINES = {"services": 400, "tests": 450}
# Longer, and why: each is one thing.
LONGER = {
    "services/garim/testing/pki.py": "a whole throwaway authority with its faults",
    "tests/unit/custody/test_releases.py": "all checks of one release",
}

# SQL outside of tables.py, tables/ and *_rows.py, and why.
WITH_SQL = {
    "custody/restoring.py": "one look at the kit's table of pins",
    "redaction/builds.py": "the row of a build, changed step by step",
    "redaction/delivery.py": "the same row, at its delivery",
    "redaction/holds.py": "the rows of holds and their decisions",
}

# Folders of one machine or user, and places to fetch packages from: whoever installs chooses the index.
ADDRESSES = re.compile(
    rb"(?m)(?:^|[\s\"'`(=:])/(?:home|Users|root|mnt|workspace|work|media)/[A-Za-z0-9._-]"
    rb"|[A-Z]:\\\\?Users\\"
    rb"|https?://[^\s\"']*(?:/simple\b|pypi|npmjs|registry|artifactory|nexus|mirror)"
    rb"|https?://(?!127\.)\d+\.\d+\.\d+\.\d+"
    rb"|--(?:extra-)?index-url|--find-links|--trusted-host"
)
# What may hold such a word, and why.
WITH_ADDRESSES = {
    "Makefile": "tells uv to leave out the address options",
    "tests/unit/test_repository.py": "these patterns",
}
PATH = re.compile(r"`((?:services|tests|protos|deploy)/[\w./-]+)`")
PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}")


def tracked() -> list[str]:
    """Return the files of the repository, as git names them."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git the checkout was made with
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    names = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
    assert len(names) > 100
    return names


def generated(name: str) -> bool:
    return name.startswith("services/garim/api/")


def dependencies() -> set[str]:
    """Return the names of all packages that pyproject.toml asks for, Garim's own extras aside."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        settings["project"]["dependencies"],
        *settings["project"]["optional-dependencies"].values(),
        *settings["dependency-groups"].values(),
    ]
    names = {re.split(r"[\[<>=!~; ]", entry, maxsplit=1)[0] for group in groups for entry in group}
    return names - {"garim"}


def test_the_top_level_holds_only_what_the_layout_names() -> None:
    assert {name.partition("/")[0] for name in tracked()} <= TOP_LEVEL


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in tracked()
        if name.endswith(".py") and not generated(name)
    }
    too_long = {name for name, lines in lengths.items() if lines > MAX_LINES.get(name.partition("/")[0], 400)}
    assert not {name: lengths[name] for name in too_long - LONGER.keys()}
    assert not LONGER.keys() - too_long, "shorter now: take it off the list"


def test_no_tracked_file_holds_a_machines_path_or_a_registrys_address() -> None:
    found = {
        name: match.group().decode()
        for name in tracked()
        if (match := ADDRESSES.search((ROOT / name).read_bytes())) and name not in WITH_ADDRESSES
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        b'see "/home/somebody/garim"',
        b"cd /root/x",
        b"(/Users/somebody)",
        b"https://pypi.example/simple",
        b"http://registry.example:8080/",
        b"http://10.0.0.1:3141/",
        b"--index-url x",
    ],
)
def test_the_patterns_of_addresses_find_them(line: bytes) -> None:
    assert ADDRESSES.search(line)


def test_no_private_key_is_tracked() -> None:
    assert not [name for name in tracked() if PRIVATE_KEY.search((ROOT / name).read_bytes())]


def test_the_lock_file_pins_each_package_with_hashes_and_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 50
    assert not [entry for entry in entries if "--hash=sha256:" not in entry or "==" not in entry]
    assert "://" not in text


def test_the_lock_file_pins_each_dependency() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {line.partition("==")[0].lower() for line in text.splitlines() if "==" in line}
    # spaCy is for those who add a pipeline of their own: no service and no test needs it.
    assert not {name for name in dependencies() - {"spacy"} if name.lower() not in pinned}


def test_each_dependency_has_its_reason() -> None:
    text = (ADR / "0001-dependencies.md").read_text(encoding="utf-8")
    lines = re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)
    reasoned = {name for line in lines for name in re.findall(r"`([a-z0-9-]+)`", line.partition(":")[0])}
    assert dependencies() == reasoned


@pytest.mark.parametrize("service", MESH)
def test_each_service_is_laid_out_alike(service: str) -> None:
    folder = SERVICES / service
    for name in ("__init__", "__main__", "settings", "servicer", "peers"):
        if (service, name) == ("audit", "peers"):
            continue  # it calls nobody
        assert (folder / f"{name}.py").is_file(), name
    assert (folder / "tables.py").is_file() or (folder / "tables" / "__init__.py").is_file()
    assert (folder / "migrations" / "env.py").is_file()
    assert list((folder / "migrations" / "versions").glob("*0001_*.py"))


@pytest.mark.parametrize("service", MESH)
def test_statements_of_sql_stand_only_where_a_reader_looks_for_them(service: str) -> None:
    elsewhere = []
    for path in (SERVICES / service).rglob("*.py"):
        place = path.relative_to(SERVICES)
        if (
            {"migrations", "tables"} & set(place.parts)
            or path.stem == "tables"
            or path.stem.endswith("_rows")
            or path.stem == "gauges"
        ):
            continue
        if str(place) not in WITH_SQL and makes_sql(ast.parse(path.read_text(encoding="utf-8"))):
            elsewhere.append(str(place))
    assert not elsewhere


def makes_sql(tree: ast.Module) -> bool:
    """Tell whether a module builds statements with SQLAlchemy."""
    made = {"select", "insert", "update", "delete"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            named = {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"sa", "sqlalchemy"}:
            named = {node.attr}
        else:
            continue
        if named & made:
            return True
    return False


def test_each_package_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(SERVICES))
        for path in SERVICES.rglob("__init__.py")
        if len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") < 20
    ]
    assert not silent


@pytest.mark.parametrize(
    "package",
    [
        *MESH,
        "dossier",
        "documents",
        "importers",
        "kit",
        "leakscan",
        "masking",
        "sdk",
        "sealing",
        "statements",
        "translog",
        "cli",
    ],
)
def test_each_main_package_states_its_invariants(package: str) -> None:
    tree = ast.parse((SERVICES / package / "__init__.py").read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree) or ""
    assert "nvariants:" in docstring or "must never see" in docstring


def test_each_decision_record_has_its_parts_and_its_own_number() -> None:
    records = sorted(ADR.glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for part in ("\nStatus: ", "## Context", "ecision", "## Consequence"):
            assert part in text, (path.name, part)


def test_each_file_that_a_document_names_exists() -> None:
    """A path in backticks in our own documents leads somewhere."""
    missing = [
        (name, path)
        for name in tracked()
        if name.endswith(".md") and not name.startswith("services/garim/")
        for path in PATH.findall((ROOT / name).read_text(encoding="utf-8"))
        if not (ROOT / path).exists()
    ]
    assert not missing
