"""`garim messages`: what lies in a message store, for the operator's technicians."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from garim.cli.options import JsonOption
from garim.cli.output import emit, plain, rows_table
from garim.documents.fields import write_instant
from garim.kit.db import Database
from garim.kit.settings import load_settings
from garim.messages import status_rows
from garim.messages.settings import MessagesSettings
from garim.messages.status_rows import EpochStatus

app = typer.Typer(no_args_is_help=True, help="The message store: what lies in it, until when.")
_COLUMNS = (
    "from",
    "to",
    "state",
    "batches",
    "messages",
    "bytes",
    "orders",
    "preserved until",
    "dropped from",
)


@app.callback()
def group() -> None:
    """Keep the group a group while it has one command."""


@app.command()
def status(
    settings: Annotated[Path, typer.Argument(metavar="SETTINGS.toml", help="The store's settings file.")],
    as_json: JsonOption = False,
) -> None:
    """Show the store's epochs, how much lies in each, what is preserved until when.

    Reads the store's tables, whether it runs or not. Of a preservation order it knows the end, not the case.
    """
    database = Database(load_settings(settings, MessagesSettings).database.place)
    try:
        with database.reading() as connection:
            found = status_rows.epochs(connection)
    finally:
        database.close()
    rows = [_described(one) for one in found]
    emit(
        as_json,
        {"epochs": rows},
        lambda console: console.print(
            rows_table(_COLUMNS, [[plain(value) for value in list(row.values())[1:]] for row in rows])
        ),
    )


def _described(one: EpochStatus) -> dict[str, Any]:
    return {
        "epoch": one.epoch.hex(),
        "from": write_instant(one.not_before),
        "to": write_instant(one.not_after),
        "state": one.state,
        "batches": one.batches,
        "messages": one.messages,
        "bytes": one.stored_bytes,
        "orders": one.orders,
        "preserved_until": None if one.preserved_until is None else write_instant(one.preserved_until),
        "drop_from": None if one.drop_from is None else write_instant(one.drop_from),
    }
