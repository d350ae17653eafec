"""`garim case register`: the operator's account of a period, as CSV without any person's data."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Annotated, Any

import typer
from rich.console import Console

from garim.api.custody.v1 import custody_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli import case_records as records
from garim.cli.files import give
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, OutOption
from garim.cli.output import emit, facts
from garim.cli.session import Session, session

BOM = "\ufeff"
"""Excel reads UTF-8 only behind it."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
COLUMNS = (
    "number",
    "authority",
    "court",
    "kind",
    "offence",
    "warrant_type",
    "issued_kst",
    "received_kst",
    "decided_kst",
    "delivered_kst",
    "stage",
    "subjects",
    "messages_up_to",
    "masked_up_to",
    "unmaskings_asked",
    "unmaskings_released",
    "refusal_reasons",
    "case",
)


def register(
    from_: Annotated[str, typer.Option("--from", help="First day of receipt, as in 2026-07-01 (KST).")],
    to: Annotated[str, typer.Option("--to", help="First day behind the period.")],
    out: OutOption = None,
    summary: Annotated[bool, typer.Option("--summary", help="Totals instead of lines.")] = False,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the register of what was received in a period: CSV, one line a document."""
    from_ms, to_ms = records.instant_of(from_, "from"), records.instant_of(to, "to")
    with session(mesh, who, records.acting_role(who, ("auditor", "reviewer"))) as own:
        released = _released(own)
        rows = [row_of(line, released) for line in records.register_in(own, from_ms, to_ms)]
    period = {"from": from_, "to": to}
    if summary:
        totals = totals_of(rows)
        emit(as_json, {**period, **totals}, lambda console: _print_totals(console, totals))
    elif out is None:
        emit(as_json, {**period, "lines": rows}, lambda _console: give(None, csv_of(rows)))
    else:
        give(out, csv_of(rows))
        value = {**period, "file": str(out), "lines": len(rows)}
        emit(as_json, value, lambda console: console.print(facts(value.items())))


def _released(own: Session) -> dict[str, int]:
    """Return how many identities custody has released, by request; only auditors may ask."""
    if own.person.role != "auditor":
        return {}
    found: dict[str, int] = {}
    token = ""
    while True:
        request = custody_pb2.ListUnmaskRequestsRequest(
            state=custody_pb2.UNMASK_STATE_RELEASED, page_size=records.PAGE, page_token=token
        )
        answer = own.custody.ListUnmaskRequests(request)
        found |= {one.request_id.hex(): one.identities for one in answer.requests}
        token = answer.next_page_token
        if not token:
            return found


def row_of(line: pb.RegisterLine, released: dict[str, int]) -> dict[str, Any]:
    """Return a line of the register.

    Args:
        line: What warrants says.
        released: How many identities custody has released, by request.
    """
    return {
        "number": line.number,
        "authority": line.authority,
        "court": line.court,
        "kind": line.kind,
        "offence": line.offence,
        "warrant_type": line.warrant_type,
        "issued_kst": _time(line.issued_at_ms),
        "received_kst": _time(line.received_at_ms),
        "decided_kst": _time(line.decided_at_ms),
        "delivered_kst": _time(line.delivered_at_ms),
        "stage": line.stage,
        "subjects": line.subjects,
        "messages_up_to": line.messages,
        "masked_up_to": line.identities,
        "unmaskings_asked": line.pseudonyms,
        "unmaskings_released": released.get(line.unmask_request_id.hex(), 0),
        "refusal_reasons": list(line.refusal_reasons),
        "case": line.case_id.hex(),
    }


def _time(instant_ms: int) -> str | None:
    return records.korean_time(instant_ms) if instant_ms else None


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as CSV that spreadsheets open without running anything: RFC 4180, UTF-8 with a BOM."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return (BOM + target.getvalue()).encode()


def _cell(value: Any) -> str | int:
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    text = " ".join(value) if isinstance(value, list) else str(value)
    # A spreadsheet takes what begins so for a formula; an apostrophe makes it text.
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def totals_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a period's totals: documents, stages, offences, reasons, subjects, unmaskings."""
    return {
        "documents": len(rows),
        "kinds": dict(sorted(Counter(row["kind"] or "refused at intake" for row in rows).items())),
        "stages": dict(sorted(Counter(row["stage"] for row in rows).items())),
        "offences": dict(sorted(Counter(row["offence"] for row in rows if row["offence"]).items())),
        "refusal_reasons": dict(
            sorted(Counter(reason for row in rows for reason in row["refusal_reasons"]).items())
        ),
        "delivered": sum(row["delivered_kst"] is not None for row in rows),
        "subjects_named": sum(row["subjects"] for row in rows),
        "unmaskings_asked": sum(row["unmaskings_asked"] for row in rows),
        "unmaskings_released": sum(row["unmaskings_released"] for row in rows),
    }


def _print_totals(console: Console, totals: dict[str, Any]) -> None:
    rows = [(name.replace("_", " "), "-" if value == {} else value) for name, value in totals.items()]
    console.print(facts(rows))
