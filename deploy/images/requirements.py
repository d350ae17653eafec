"""The part of the project's lock that one service needs.

    python deploy/images/requirements.py custody

Walks from the service's extra in pyproject.toml through the metadata of the installed packages, so that an
image holds what its service asks for and nothing of the others'. Versions and hashes are those of
`requirements.lock`.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def locked() -> dict[str, str]:
    """Return by package its entry of the lock file: version and hashes."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    return {canonicalize_name(entry.partition("==")[0]): entry for entry in entries}


def asked_for(name: str) -> list[Requirement]:
    """Return what a package asks for, its extras' marked as such."""
    if name != "garim":
        return [Requirement(text) for text in importlib.metadata.requires(name) or ()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    for extra, texts in project["optional-dependencies"].items():
        asked += [Requirement(f'{text}; extra == "{extra}"') for text in texts]
    return asked


def needed(extra: str) -> set[str]:
    """Return the packages that an extra of Garim asks for, directly or not.

    Args:
        extra: Name of the extra: a service's name.
    """
    waiting = [("garim", frozenset({extra}))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in asked_for(name):
            wanted = [{"extra": one} for one in ("", *extras)]
            if requirement.marker is None or any(requirement.marker.evaluate(one) for one in wanted):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in seen} - {"garim"}


def requirements(service: str) -> str:
    """Return a service's requirements, with hashes, as pip reads them."""
    entries = locked()
    return "\n".join(entries[name] for name in sorted(needed(service))) + "\n"


if __name__ == "__main__":
    sys.stdout.write(requirements(sys.argv[1]))
