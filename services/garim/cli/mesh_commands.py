"""`garim mesh`: a throwaway mesh of five real processes on this machine."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from garim.cli.mesh_plan import Places, is_free
from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.mesh_setup import is_unfinished, move_ports, set_up
from garim.cli.meshfolder import SERVICES, MeshFile, MeshFolder
from garim.cli.options import DEFAULT_MESH, JsonOption, MeshOption
from garim.cli.output import bar, emit, rows_table
from garim.kit.db import Server
from garim.kit.db.place import parse_url
from garim.statements.refusal import RefusedError

app = typer.Typer(no_args_is_help=True, help="A throwaway mesh on this machine, every key marked TEST.")


def bring_up(
    root: Path,
    *,
    tied: bool = False,
    review_always: bool = False,
    database: Server | None = None,
    ready: Callable[[str], None] = lambda _service: None,
) -> MeshFile:
    """Set a mesh up where there is none, start what does not run, wait until it serves.

    Args:
        root: The mesh's folder.
        tied: Whether the services end with this process.
        review_always: For a new mesh: whether reviewers decide every disclosure.
        database: For a new mesh: the PostgreSQL server of its tables; files without.
        ready: Told each service as it becomes ready.

    Raises:
        RefusedError: Those of `set_up` and `Processes`.
    """
    folder = MeshFolder(root)
    if is_unfinished(root):
        shutil.rmtree(root)
    if folder.exists():
        mesh = folder.read()
    else:
        mesh = set_up(root, dt.datetime.now(dt.UTC), review_always=review_always, database=database)
    processes = Processes(Places(root))
    running = [service for service in SERVICES if processes.running(service)]
    taken = [one for table in (mesh.addresses, mesh.health) for one in table.values() if not is_free(one)]
    if not running and taken:
        mesh = move_ports(root)
    try:
        for service in SERVICES:
            processes.start(service, tied=tied)
        processes.await_ready(mesh, ready)
    except BaseException:
        if not running:
            processes.stop()
        raise
    return mesh


def _administered(url: str, password_file: Path | None, trust: Path | None) -> Server:
    try:
        address = parse_url(url)
        if not address.is_local and trust is None:
            raise ValueError("needs --database-trust over the network")
    except ValueError as error:
        raise RefusedError("SETTING_INVALID", f"the database {error}", field="database") from None
    return Server(address, password_file, trust)


@app.command()
def up(
    mesh: MeshOption = DEFAULT_MESH,
    review_always: Annotated[
        bool, typer.Option("--review-always", help="For a new mesh: reviewers decide every disclosure.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            help="For a new mesh: PostgreSQL server for its tables, as postgresql://ROLE@HOST:PORT/DATABASE"
            " of a role that may make roles and databases; files without.",
        ),
    ] = None,
    database_password: Annotated[
        Path | None, typer.Option("--database-password-file", help="File (mode 0600) with that password.")
    ] = None,
    database_trust: Annotated[
        Path | None, typer.Option("--database-trust", help="Certificates that the server's chain to (PEM).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Set up a mesh (or start it again) and say how to reach it."""
    done = 0
    server = None if database is None else _administered(database, database_password, database_trust)
    with bar("starting", len(SERVICES), quiet=as_json) as progress:

        def ready(service: str) -> None:
            nonlocal done
            done += 1
            progress.to(done, what=f"{service} serves")

        file = bring_up(mesh, review_always=review_always, database=server, ready=ready)
    emit(as_json, _status(mesh, file), lambda console: _print_status(console, mesh, file))


@app.command()
def status(mesh: MeshOption = DEFAULT_MESH, as_json: JsonOption = False) -> None:
    """Say which services run and serve."""
    file = MeshFolder(mesh).read()
    value = _status(mesh, file)
    emit(as_json, value, lambda console: _print_status(console, mesh, file))
    if not all(one["serving"] for one in value["services"].values()):
        raise typer.Exit(1)


@app.command()
def down(mesh: MeshOption = DEFAULT_MESH, as_json: JsonOption = False) -> None:
    """Let the mesh's services drain and end; only those that `mesh up` started here."""
    MeshFolder(mesh).read()
    stopped = Processes(Places(mesh)).stop()
    words = f"stopped: {', '.join(stopped)}" if stopped else "nothing was running"
    emit(as_json, {"stopped": stopped}, lambda console: console.print(words))


def _status(root: Path, file: MeshFile) -> dict[str, Any]:
    processes = Processes(Places(root))
    services = {}
    for service in SERVICES:
        running = processes.running(service)
        services[service] = {
            "address": file.addresses[service],
            "pid": running.pid if running else None,
            "serving": running is not None and is_serving(file.health[service]),
        }
    return {"mesh": file.mesh, "folder": str(root.absolute()), "genesis": file.genesis, "services": services}


def _print_status(console: Console, root: Path, file: MeshFile) -> None:
    value = _status(root, file)
    console.print(f"Mesh {file.mesh} in {value['folder']} (throwaway: its keys are marked TEST)")
    rows = [
        (name, one["address"], one["pid"] or "-", "serving" if one["serving"] else "not serving")
        for name, one in value["services"].items()
    ]
    console.print(rows_table(("service", "address (mutual TLS)", "pid", "state"), rows))
    folder = MeshFolder(root)
    people = [
        (role, ", ".join(names))
        for role in ("clerk", "reviewer", "custodian", "auditor", "operator", "backend")
        if (names := folder.names(role))
    ]
    console.print(rows_table(("role", "people (--as ROLE/NAME)"), people))
    console.print(f"Signing keys of the TEST court and agency: {Places(root).agency}")
