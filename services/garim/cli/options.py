"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JSON_KEY = "garim.json"
DEFAULT_MESH = Path(".garim/mesh")


def _remember(context: typer.Context, value: bool) -> bool:
    if value:
        context.meta[JSON_KEY] = True
    return value


JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON for programs.", callback=_remember, is_eager=True),
]
MeshOption = Annotated[
    Path, typer.Option("--mesh", help="Folder of the mesh: addresses and identities.", envvar="GARIM_MESH")
]
AsOption = Annotated[
    str, typer.Option("--as", help="Who acts: ROLE/NAME, or NAME of the role that the command needs.")
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="File (mode 0600) with the passphrase of the keys; asked for without."
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it stays at the operator.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="File to write; standard output without.")]
