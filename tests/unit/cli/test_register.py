"""The register opens in a spreadsheet, runs nothing there, and holds no person's data."""

from __future__ import annotations

import csv
import io

import pytest

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli.case_register import BOM, COLUMNS, csv_of, row_of, totals_of

REQUEST = b"r" * 16


def line(**changes: object) -> pb.RegisterLine:
    known = {
        "case_id": b"c" * 16,
        "kind": "disclosure",
        "authority": "TEST 한빛지방검찰청",
        "court": "TEST 한빛지방법원",
        "number": "2026-압수-0001",
        "offence": "drugs",
        "warrant_type": "search-and-seizure-stored",
        "stage": "delivered",
        "issued_at_ms": 1_782_800_000_000,
        "received_at_ms": 1_782_900_000_000,
        "decided_at_ms": 1_782_900_001_000,
        "delivered_at_ms": 1_782_900_002_000,
        "subjects": 2,
        "messages": 1000,
        "identities": 50,
    }
    return pb.RegisterLine(**{**known, **changes})  # type: ignore[arg-type] - fields by name


def read(*lines: pb.RegisterLine) -> list[dict[str, str]]:
    data = csv_of([row_of(one, {}) for one in lines])
    assert data.startswith(BOM.encode())
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_line_has_every_column_and_times_that_a_spreadsheet_reads() -> None:
    (row,) = read(line())
    assert tuple(row) == COLUMNS
    assert row["received_kst"] == "2026-07-01 19:00:00"
    assert (row["messages_up_to"], row["masked_up_to"], row["subjects"]) == ("1000", "50", "2")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "  =1",
        "＝1+1",
        "|calc",
        "%0A",
        '=HYPERLINK("https://x.example")',
    ],
)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    (row,) = read(line(number=text, authority=text, court=text))
    for name in ("number", "authority", "court"):
        assert row[name] == f"'{text}"


def test_quotes_commas_and_line_ends_stay_in_their_cell() -> None:
    text = '지검 "강력부", 2과\r\n3층'
    (row,) = read(line(authority=text))
    assert row["authority"] == text


def test_a_refusal_before_a_case_is_a_line_with_its_reasons_alone() -> None:
    refused = pb.RegisterLine(
        case_id=b"x" * 16,
        stage="refused",
        received_at_ms=1_782_900_000_000,
        refusal_reasons=["AUDIENCE_WRONG", "SAME_PERSON"],
    )
    (row,) = read(refused)
    assert (row["stage"], row["refusal_reasons"]) == ("refused", "AUDIENCE_WRONG SAME_PERSON")
    assert (row["number"], row["issued_kst"], row["delivered_kst"]) == ("", "", "")


def test_totals_count_documents_subjects_reasons_and_unmaskings() -> None:
    second = line(
        kind="supplementary",
        offence="",
        stage="unmask-requested",
        delivered_at_ms=0,
        subjects=0,
        pseudonyms=2,
        unmask_request_id=REQUEST,
    )
    refused = pb.RegisterLine(stage="refused", refusal_reasons=["SAME_PERSON"])
    rows = [row_of(one, {REQUEST.hex(): 1}) for one in (line(), second, refused)]
    totals = totals_of(rows)
    assert totals["documents"] == 3
    assert totals["kinds"] == {"disclosure": 1, "refused at intake": 1, "supplementary": 1}
    assert (totals["delivered"], totals["subjects_named"]) == (1, 2)
    assert (totals["unmaskings_asked"], totals["unmaskings_released"]) == (2, 1)
    assert totals["refusal_reasons"] == {"SAME_PERSON": 1}
