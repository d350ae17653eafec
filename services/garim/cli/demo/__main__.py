"""`python -m garim.cli.demo`: the whole chain on one chat."""

from __future__ import annotations

import functools
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from garim.cli.demo.chosen import Chosen, choose
from garim.cli.demo.first_request import first_half
from garim.cli.demo.second_request import second_half, verify_offline, verify_the_log
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import Story, promise
from garim.cli.import_command import send
from garim.cli.main import GarimGroup
from garim.cli.mesh_commands import bring_up
from garim.cli.mesh_processes import Processes
from garim.cli.meshfolder import SERVICES
from garim.cli.options import JsonOption
from garim.cli.output import emit
from garim.importers import Joined, Left, Renamed

app = typer.Typer(cls=GarimGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
FOLDER = Path(".garim/demo")
SUMMARY = "summary.json"


@app.callback(invoke_without_command=True)
def demo(
    chat: Annotated[str, typer.Option("--chat", help="An exported chat; the sample room without.")] = "",
    subject: Annotated[
        str, typer.Option("--subject", help="Name, nick or account; the busiest without.")
    ] = "",
    window: Annotated[str, typer.Option("--window", help="start/end; the whole chat without.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="IANA zone of the chat's times.")] = "",
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How to read dates such as 3/4/24."),
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Where everything is written.")] = FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Store a chat, disclose it masked under a warrant, and open one identity under a second request."""
    stage = Stage(folder, Story(quiet=as_json))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, functools.partial(_interrupt, stage.story))
    stage.story.section("The chat")
    chosen = choose(Path(chat) if chat else None, subject, window, timezone, day_first=day_first)
    stage.clear()
    try:
        _play(stage, chosen)
    finally:
        if stage.folder.exists():
            Processes(stage.places).stop()
    stage.summary.write(folder / SUMMARY)
    emit(as_json, stage.summary.to_json(), lambda _console: _ending(stage))


def _interrupt(story: Story, _number: int, _frame: FrameType | None) -> None:
    story.interrupted = True
    raise KeyboardInterrupt


def _play(stage: Stage, chosen: Chosen) -> None:
    story = stage.story
    reader = chosen.source.reader
    story.facts(
        [
            ("file's format", reader.format),
            ("messages", f"{len(chosen.originals):,}"),
            ("people", len(chosen.people)),
            ("subject", chosen.name_of(chosen.subject)),
        ]
    )
    story.section("The mesh")
    story.command(f"mesh up --mesh {stage.mesh}")
    with story.progress("starting", len(SERVICES)) as progress:
        started: list[str] = []

        def ready(service: str) -> None:
            started.append(service)
            progress.to(len(started), what=f"{service} serves")

        bring_up(stage.mesh, tied=True, review_always=True, ready=ready)
    story.right(
        "five processes, mutual TLS between them; custodians' and reviewers' keys made; leaf 0 logged"
    )
    _import(stage, chosen)
    disclosed = first_half(stage, chosen)
    second_half(stage, chosen, disclosed)
    verify_the_log(stage)
    stopped = Processes(stage.places).stop()
    promise(len(stopped) == len(SERVICES), "all five services were still running")
    story.command(f"mesh down --mesh {stage.mesh}")
    story.right("all five services drained and ended; what follows needs files alone")
    verify_offline(stage)


def _import(stage: Stage, chosen: Chosen) -> None:
    story = stage.story
    with story.progress("importing") as progress:
        done = send(chosen.source, stage.mesh, "", progress.to)
    changes = sum(isinstance(event, Joined | Left | Renamed) for event in chosen.source.reader)
    story.command(f"import CHAT --mesh {stage.mesh}")
    promise(done.messages == len(chosen.originals), "every message was stored")
    secret = f", {done.secret} blocks of a secret chat" if done.secret else ""
    story.right(f"stored: {done.messages:,} messages, {changes} changes of who is there{secret}")
    story.say("The store seals its write secret to custody and forgets it within a minute.")
    stage.summary.more["stored"] = done.messages


def _ending(stage: Stage) -> None:
    story, summary = stage.story, stage.summary
    story.section("What is left")
    story.facts(
        [
            ("bystanders named", summary.leaks),
            ("identities opened", summary.identities_unmasked),
            ("transcript", stage.opened / "transcript" / "index.html"),
            ("with that identity", stage.applied / "index.html"),
            ("figures", stage.root / SUMMARY),
        ]
    )


def main() -> None:
    """Run the demo."""
    app()


if __name__ == "__main__":
    main()
