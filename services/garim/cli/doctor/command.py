"""`garim doctor`: settings files on a service's machine, or a mesh's folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from garim.cli.doctor import machine, mesh
from garim.cli.doctor.findings import Finding, healthy
from garim.cli.meshfolder import SERVICES, MeshFolder
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import emit, rows_table
from garim.cli.session import session
from garim.kit.clock import SystemClock


def doctor(
    settings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SETTINGS.toml]…", help="Settings of services on this machine; a mesh without."
        ),
    ] = None,
    folder: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with services on this machine, or with a mesh, and what to do.

    Raises:
        Exit: Status 1 where there is a fault; warnings alone are none.
    """
    clock = SystemClock()
    if settings:
        found = [finding for path in settings for finding in machine.examine(path, clock)]
    else:
        found = _mesh(folder, who)
    value = {"healthy": healthy(found), "findings": [one.to_json() for one in found]}
    emit(as_json, value, lambda console: _print(console, found))
    if not healthy(found):
        raise typer.Exit(1)


def _mesh(folder: Path, who: str) -> list[Finding]:
    file, clock = MeshFolder(folder).read(), SystemClock()
    answers = {service: mesh.ask(file.health[service], clock.now_ms()) for service in SERVICES}
    with session(folder, who, who.rpartition("/")[0] or "auditor") as own:
        return mesh.examine(own, answers)


def _print(console: Console, found: list[Finding]) -> None:
    rows = [(one.level.upper(), one.about, one.check, one.what) for one in found]
    console.print(rows_table(("", "about", "check", "what"), rows))
    for one in found:
        if one.do:
            console.print(f"{one.about}, {one.check}: {one.do}", markup=False)
    counts = Counter(one.level for one in found)
    console.print(f"{counts['fault']} faults, {counts['warning']} warnings, {counts['ok']} in order")
