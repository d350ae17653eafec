"""`garim audit`: the log, verified by whoever looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from garim.cli.audit_check import LogReport, verify_log
from garim.cli.files import read_input
from garim.cli.governance_draft import pins_in
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.session import session
from garim.documents.fields import write_instant
from garim.dossier.receipt import log_key, witness_keys
from garim.kit.identity import service_id
from garim.statements import dsse, strict_json
from garim.statements.governance import Governance
from garim.statements.refusal import RefusedError
from garim.translog.proven import LogProof, verify_logged

app = typer.Typer(no_args_is_help=True, help="The transparency log.")


def _whole(mesh: Path, who: str) -> LogReport:
    with session(mesh, who, who.rpartition("/")[0] or "auditor") as own:
        return verify_log(own)


@app.command()
def verify(mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False) -> None:
    """Read the whole log, rebuild its tree, and prove it consistent with what you saw before."""
    report = _whole(mesh, who)
    value = {"verified": True, "size": report.size, "root": report.root}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def report(mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False) -> None:
    """Count what the verified log holds: how much was asked, granted, refused, opened, destroyed."""
    found = _whole(mesh, who)
    emit(as_json, found.to_json(), lambda console: _print(console, found))


def _print(console: Console, found: LogReport) -> None:
    rows: list[tuple[str, Any]] = [("entries", found.size), ("root", found.root)]
    rows += [("from", write_instant(found.first_ms)), ("to", write_instant(found.last_ms))]
    console.print(facts(rows))
    console.print(rows_table(("type", "entries"), sorted(found.types.items())))
    if found.magnitudes:
        console.print(rows_table(("count", "sum"), sorted(found.magnitudes.items())))


@app.command()
def pins(
    database: Annotated[Path, typer.Argument(metavar="DATABASE", help="A service's, or a person's.")],
    as_json: JsonOption = False,
) -> None:
    """Show what a service or a client has pinned of each log: what a log's successor has to carry."""
    value = {origin: f"{one.size}:{one.root}" for origin, one in pins_in(database).items()}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command("open")
def open_command(
    statement: Annotated[
        Path, typer.Argument(metavar="LOGGED.json", help="A logged statement: {statement, proof}.")
    ],
    kind: Annotated[str, typer.Option("--type", help="Type of entry that it must be.")],
    service: Annotated[str, typer.Option("--service", help="Service that must have logged it.")],
    governance_file: Annotated[
        Path, typer.Option("--governance", help="Governance document that names the log.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Open one entry offline: show that a statement is what the log commits to, and what it says."""
    value = strict_json.parse_object(read_input(statement, "logged statement"))
    if value.keys() != {"statement", "proof"}:
        raise RefusedError("STATEMENT_ENVELOPE", "must hold statement and proof, nothing else")
    envelope, proof = dsse.from_json(value["statement"]), LogProof.from_object(value["proof"])
    governance = Governance.from_bytes(read_input(governance_file, "governance document"))
    leaf, checkpoint = verify_logged(
        envelope.payload,
        proof,
        log_key=log_key(governance),
        origin=governance.log.origin,
        witnesses=witness_keys(governance),
        expect_type=kind,
        expect_actor=service_id(governance.mesh, service),
    )
    shown = {
        "verified": True,
        "type": leaf.type,
        "actor": leaf.actor,
        "time": write_instant(leaf.time_ms),
        "index": proof.index,
        "log_size": checkpoint.size,
        "payload_type": envelope.payload_type,
        "statement": strict_json.parse_object(envelope.payload),
    }
    rows = [(name, one) for name, one in shown.items() if name != "statement"]
    rows += list(shown["statement"].items()) if isinstance(shown["statement"], dict) else []
    emit(as_json, shown, lambda console: console.print(facts(rows)))
