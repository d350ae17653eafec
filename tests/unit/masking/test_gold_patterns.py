"""Every value that another tool's own tests call valid is found; the values are read, never imported."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.masking.engine import Engine

PATTERNS = Path(__file__).resolve().parents[4] / "shared" / "testdata" / "gold" / "patterns"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not PATTERNS.exists(), reason="outside test data is absent"),
]
FILES = (
    *("credit_card", "email", "iban", "ip", "kr_brn", "kr_driver_license", "kr_frn", "kr_passport", "kr_rrn"),
    *("phone", "us_ssn"),
)
NEEDS_A_WORD = re.compile(r"\d{9}|\d{3}-\d{6}|\d{5}-\d{4}|(?:::|0\.0\.0\.0|fe80::)(?:/\d+)?")
"""Nine digits without the usual hyphens say nothing alone, and these addresses are nobody's."""


def cases(name: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yield the texts of a file's parameter tables with the places of their valid values."""
    tree = ast.parse((PATTERNS / f"test_{name}_recognizer.py").read_text(encoding="utf-8"))
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parametrize"):
            continue
        table = call.args[1]
        for row in table.elts if isinstance(table, ast.List) else ():
            try:
                values = ast.literal_eval(row)
            except ValueError:
                continue
            if isinstance(values, tuple) and isinstance(values[0], str) and values[1]:
                yield values[0], next(filter(None, map(places, values[2:])), [(0, len(values[0]))])


def places(value: object) -> list[tuple[int, int]]:
    """Return a cell as pairs of offsets, or nothing where it is something else."""
    if not isinstance(value, tuple | list) or not value:
        return []
    pairs = [one for one in value if isinstance(one, tuple) and len(one) == 2]
    whole = all(isinstance(number, int) for one in pairs for number in one)
    return pairs if len(pairs) == len(value) and whole else []


@pytest.mark.parametrize("name", FILES)
def test_every_valid_value_is_found(name: str) -> None:
    engine, read, missed = Engine([]), 0, []
    for text, spans in cases(name):
        findings = engine.find([text])[0]
        masked = {at for one in findings for at in range(one.start, one.end)}
        for start, end in spans:
            read += 1
            value = text[start:end]
            if not NEEDS_A_WORD.fullmatch(value) and not masked.issuperset(range(start, end)):
                missed.append(value)
    assert read
    assert missed == []
