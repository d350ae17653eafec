"""`garim custody shares`: a leaving custodian hands their shares to a successor, who checks them first."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.text import Text

from garim.cli import share_flow
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, PassphraseOption, ReasonOption
from garim.cli.output import bar, emit, rows_table
from garim.cli.session import session
from garim.cli.share_flow import Result
from garim.documents.fields import write_instant

app = typer.Typer(no_args_is_help=True, help="A custodian's shares of dossiers, and who has them next.")


@app.command("list")
def list_shares(mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False) -> None:
    """List the dossiers of which you hold shares, and the shares that are offered to you."""
    with session(mesh, who, "custodian") as own:
        held = [
            {
                "dossier": one.dossier_id.hex(),
                "custodian": one.custodian,
                "shares": len(one.shares),
                "needed": one.needed,
                "holders": list(one.holders),
                "until": write_instant(one.unmask_until_ms),
                "offered_to": one.successor or None,
            }
            for one in share_flow.held(own)
        ]
        offered = [
            {
                "dossier": one.dossier_id.hex(),
                "custodian": one.custodian,
                "shares": len(one.shares),
                "by": one.leaving,
                "until": write_instant(one.unmask_until_ms),
                "expires": write_instant(one.expires_at_ms),
            }
            for one in share_flow.offered(own)
        ]
    emit(as_json, {"held": held, "offered": offered}, lambda console: console.print(_tables(held, offered)))


@app.command()
def transfer(
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="The successor: a custodian now.")],
    reason: ReasonOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Offer all your shares to a successor; they are yours until the successor accepts."""
    with session(mesh, who, "custodian") as own, bar("re-sealing shares", quiet=as_json) as progress:
        results = share_flow.transfer(own, to, reason, passphrase_file, progress.to)
    _show(results, "to", "you hold no shares", as_json=as_json)


@app.command()
def accept(
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every share that is offered to you against what was split, and accept the right ones."""
    with session(mesh, who, "custodian") as own, bar("checking shares", quiet=as_json) as progress:
        results = share_flow.accept(own, passphrase_file, progress.to)
    _show(results, "from", "nothing is offered to you", as_json=as_json)


def _tables(held: list[dict[str, Any]], offered: list[dict[str, Any]]) -> Text:
    """Return what is held and, where there is any, what is offered."""
    columns = ("dossier", "custodian", "shares", "needed", "until", "offered_to")
    waiting = ("dossier", "custodian", "shares", "by", "expires")
    text = Text("you hold no shares")
    if held:
        text = rows_table(columns, [[one[name] or "-" for name in columns] for one in held])
    if offered:
        text.append("\n\noffered to you; `garim custody shares accept` checks and takes them\n")
        text.append_text(rows_table(waiting, [[one[name] for name in waiting] for one in offered]))
    return text


def _show(results: list[Result], other: str, nothing: str, *, as_json: bool) -> None:
    """Print what came of each dossier; ends with status 1 where one was refused."""
    rows = [(one.dossier, one.custodian, one.other, one.result) for one in results]
    table = rows_table(("dossier", "custodian", other, "result"), rows)
    emit(
        as_json,
        {"dossiers": [asdict(one) for one in results]},
        lambda console: console.print(table if rows else nothing),
    )
    if any(one.is_refused for one in results):
        raise typer.Exit(1)
