from __future__ import annotations

from pathlib import Path

from removals.table import ROOT, Removal, read_table

ROWS = read_table()


def misfit(row: Removal) -> str:
    """Return why a row can take nothing out, or nothing."""
    source = (ROOT / row.file).read_text(encoding="utf-8")
    if row.occurrences(ROOT) != 1:
        return f"stands {row.occurrences(ROOT)} times"
    without = row.removed(source)
    if without == source:
        return "takes nothing out"
    if not row.file.endswith(".py"):
        return ""
    try:
        compile(without, row.file, "exec")
    except SyntaxError as error:
        return f"leaves no Python: {error}"
    return ""


def missing(row: Removal) -> list[str]:
    """Return the tests of a row that do not exist."""
    found = []
    for test in row.tests:
        path, _, name = test.partition("::")
        function = name.rpartition("::")[2]
        there = Path(ROOT / path).exists()
        if not there or (function and f"def {function}(" not in (ROOT / path).read_text(encoding="utf-8")):
            found.append(test)
    return found


def test_every_check_in_the_table_stands_where_it_says() -> None:
    assert {row.id: why for row in ROWS if (why := misfit(row))} == {}


def test_every_check_names_tests_that_exist() -> None:
    assert [row.id for row in ROWS if not row.tests] == []
    assert {row.id: names for row in ROWS if (names := missing(row))} == {}


def test_every_invariant_has_checks_that_are_taken_out() -> None:
    assert {row.invariant for row in ROWS} == set(range(1, 10))
    assert len(ROWS) >= 60
