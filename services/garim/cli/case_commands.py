"""`garim case`: where cases stand, what happened to them, what is due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli import case_records as records
from garim.cli.case_letter import letter
from garim.cli.case_register import register
from garim.cli.cases import STATES, case_id, reasons_from
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.session import session
from garim.statements.refusal import RefusedError

EXIT_OVERDUE = 3
"""Status of `garim case due` where a duty is overdue; 1 is a refusal."""
_LOOKING = ("clerk", "reviewer", "auditor")
_SETTLING = ("operator", "reviewer")

app = typer.Typer(no_args_is_help=True, help="Cases: where they stand, what happened, what is due.")
app.command()(register)
app.command()(letter)

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case, or of a refusal.")]
ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="Name of the due item.")]
SettlingReason = Annotated[str, typer.Option("--reason", help="What was done, or why not, in a sentence.")]
GroundOption = Annotated[str, typer.Option("--ground", help="Ground in the policy, by its id.")]


@app.command("list")
def list_cases(
    state: Annotated[str, typer.Option("--state", help="Only cases in this state.")] = "",
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """List cases, newest first."""
    wanted = {name: one for one, name in STATES.items()}
    if state and state not in wanted:
        raise RefusedError("CASE_STATE_NAME", f"name one of {', '.join(sorted(wanted))}", field="state")
    chosen = wanted[state] if state else pb.CASE_STATE_UNSPECIFIED
    with session(mesh, who, records.acting_role(who, _LOOKING)) as own:
        found = [records.summary_of(one) for one in records.cases_in(own, chosen)]
    columns = ("case", "kind", "stage", "number", "authority", "received")
    _emit_rows(as_json, "cases", columns, found, "no such case")


@app.command()
def show(
    case: CaseArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """Show where a case stands, why it was refused, how far its delivery is, and what is due."""
    with session(mesh, who, records.acting_role(who, _LOOKING)) as own:
        answer = records.timeline_of(own, case_id(case))
        unmasking = records.unmasking_of(own, answer.summary)
    value = {
        **records.summary_of(answer.summary),
        "received_bytes_sha256": answer.content_digest.hex() or None,
        "refusal_reasons": [
            {"reason": one.reason, "field": one.field, "message": one.message}
            for one in reasons_from(list(answer.refusal_reasons))
        ],
        "delivery": _delivery(answer),
        "unmask_request": unmasking,
        "due": [records.due_of(one) for one in answer.due_items],
    }
    emit(as_json, value, lambda console: _print_case(console, value))


def _delivery(answer: pb.GetCaseTimelineResponse) -> dict[str, Any] | None:
    if not answer.HasField("delivery"):
        return None
    known = answer.delivery
    return {
        "dossier": known.dossier_id.hex(),
        "package": known.package_digest.hex(),
        "delivered": records.shown_instant(known.delivered_at_ms),
        "log_index": known.delivered_index if known.delivered_at_ms else None,
        "acknowledged": records.shown_instant(known.acknowledged_at_ms),
    }


def _print_case(console: Console, value: dict[str, Any]) -> None:
    names = ("case", "kind", "stage", "authority", "number", "case_number", "document", "received")
    shown = [(name.replace("_", " "), value[name]) for name in names if value[name]]
    if value["received_bytes_sha256"]:
        shown.append(("received bytes (SHA-256)", value["received_bytes_sha256"]))
    for name in ("delivery", "unmask_request"):
        shown += [(key.replace("_", " "), one) for key, one in (value[name] or {}).items() if one is not None]
    console.print(facts(shown))
    for one in value["refusal_reasons"]:
        where = f" ({one['field']})" if one["field"] else ""
        console.print(Text.assemble(("refused ", "bold red"), (one["reason"], "bold"), where))
        console.print(Text(f"  {one['message']}"))
    if value["due"]:
        console.print()
        rows = [_due_row(one) for one in value["due"]]
        console.print(rows_table(("item", "standing", "due", "basis"), rows))


def _due_row(one: dict[str, Any]) -> list[str]:
    return [one["item"], one["standing"], one["due"], "; ".join(one["basis"]) or "-"]


@app.command()
def timeline(
    case: CaseArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """Show what happened to a case, oldest first: every transition, duties settled, custody's request."""
    with session(mesh, who, records.acting_role(who, _LOOKING)) as own:
        answer = records.timeline_of(own, case_id(case))
        unmasking = records.unmasking_of(own, answer.summary)
    value = {
        **records.summary_of(answer.summary),
        "events": _events(answer),
        "unmask_request": unmasking,
    }
    columns = ("at", "what", "stage", "who", "reason")

    def render(console: Console) -> None:
        rows = [[one[name] or "" for name in columns] for one in value["events"]]
        console.print(rows_table(columns, rows))
        if unmasking:
            console.print(facts((f"custody's {name}", one) for name, one in unmasking.items()))

    emit(as_json, value, render)


def _events(answer: pb.GetCaseTimelineResponse) -> list[dict[str, Any]]:
    events = [
        (
            one.at_ms,
            {
                "at": records.shown_instant(one.at_ms),
                "what": one.cause,
                "stage": one.stage,
                "who": one.who or None,
                "reason": None,
            },
        )
        for one in answer.events
    ]
    events += [
        (
            one.settled_at_ms,
            {
                "at": records.shown_instant(one.settled_at_ms),
                "what": f"{one.item}: {'deferred' if _is_deferred(one) else 'done'}",
                "stage": None,
                "who": one.who,
                "reason": one.reason,
            },
        )
        for one in answer.due_items
        if one.reason
    ]
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]


def _is_deferred(one: pb.DueItem) -> bool:
    return one.standing != pb.DUE_STANDING_DONE


@app.command()
def due(
    every: Annotated[bool, typer.Option("--all", help="What is done, too.")] = False,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """List what is due in all cases, earliest first; ends with status 3 where something is overdue."""
    with session(mesh, who, records.acting_role(who, ("operator", *_LOOKING))) as own:
        found = [records.due_of(one) for one in records.due_in(own, with_done=every)]
    late = sum(one["standing"] == records.OVERDUE for one in found)
    rows = [{**one, "basis": "; ".join(one["basis"]) or "-"} for one in found]
    columns = ("due", "standing", "item", "case", "number", "basis")

    def render(console: Console) -> None:
        cells = [[one[name] for name in columns] for one in rows]
        console.print(rows_table(columns, cells) if cells else "nothing is due")
        if late:
            console.print(Text(f"{late} overdue", style="bold red"))

    emit(as_json, {"due": found, "overdue": late}, render)
    if late:
        raise typer.Exit(EXIT_OVERDUE)


@app.command()
def done(
    case: CaseArgument,
    item: ItemArgument,
    reason: SettlingReason,
    ground: GroundOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record that a duty is done, or falls away on a ground that the policy names."""
    _settle(case, item, reason, ground, 0, mesh, who, as_json=as_json)


@app.command()
def defer(
    case: CaseArgument,
    item: ItemArgument,
    until: Annotated[str, typer.Option("--until", help="Until when it may wait.")],
    ground: GroundOption,
    reason: SettlingReason,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a duty off on a ground that the policy names, until it is looked at again."""
    _settle(case, item, reason, ground, records.instant_of(until, "until"), mesh, who, as_json=as_json)


def _settle(
    case: str, item: str, reason: str, ground: str, until_ms: int, mesh: Path, who: str, *, as_json: bool
) -> None:
    request = pb.SettleDueItemRequest(
        case_id=case_id(case), item=item, reason=reason, ground=ground, deferred_until_ms=until_ms
    )
    with session(mesh, who, records.acting_role(who, _SETTLING)) as own:
        value = records.due_of(own.warrants.SettleDueItem(request).item)
    names = ("item", "standing", "due", "ground", "reason", "who")
    emit(as_json, value, lambda console: console.print(facts((name, value[name]) for name in names)))


def _emit_rows(
    as_json: bool, name: str, columns: tuple[str, ...], found: list[dict[str, Any]], nothing: str
) -> None:
    rows = [[one[column] or "-" for column in columns] for one in found]
    emit(
        as_json, {name: found}, lambda console: console.print(rows_table(columns, rows) if rows else nothing)
    )
