"""`garim import`: a chat export into the store, as the chat back end of a throwaway mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from garim.cli.importing import Imported, import_export, import_secret, roster_beside
from garim.cli.meshfolder import MeshFolder
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import bar, emit, err, facts
from garim.importers import ChatReader, Counts, SecretChat, open_chat, read_secret, survey
from garim.sdk import GarimError, GarimStore, Producer, StoreUnavailableError, TlsPaths
from garim.statements.refusal import Kind, RefusedError

OPAQUE_SUFFIX = ":secret"


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported; all of it has been read once and found whole.

    Attributes:
        reader: The export.
        roster: The roster file's members.
        secret: The secret chat, if there is one.
    """

    reader: ChatReader
    roster: tuple[Any, ...]
    secret: SecretChat | None


def read_source(
    chat: Path,
    export_format: str,
    timezone: str,
    roster: Path | None,
    secret: Path | None,
    progress: Callable[[int, int], None] | None = None,
    *,
    day_first: bool | None = None,
) -> Source:
    """Read everything once, so that a fault in it is found before anything is sent.

    Raises:
        RefusedError: Those of `open_chat`, `read_roster` and `read_secret`.
    """
    members = roster_beside(roster)
    blocks = read_secret(secret) if secret is not None else None
    looked = survey(chat, export_format, timezone, known=members, day_first=day_first, progress=progress)
    reader = open_chat(chat, export_format, timezone, known=members, day_first=day_first, looked=looked)
    return Source(reader, members, blocks)


def send(source: Source, mesh: Path, who: str, progress: Callable[[int, int], None]) -> Imported:
    """Send a source to the store and wait until it is durable.

    Args:
        source: What to send.
        mesh: The mesh's folder.
        who: Which back end acts.
        progress: Told bytes read and bytes in all.

    Raises:
        RefusedError: What the store refuses.
    """
    folder = MeshFolder(mesh)
    file = folder.read()
    backend = folder.person(who, "backend")
    tls = TlsPaths(backend.tls.certificate, backend.tls.key, backend.tls.trust)
    try:
        with (
            GarimStore(file.addresses["messages"], mesh=file.mesh, tls=tls) as store,
            Producer(store, give_up_s=60.0) as producer,
        ):
            done = import_export(source.reader, producer, progress)
            if source.secret is not None:
                conversation = done.conversation + OPAQUE_SUFFIX
                done.secret = import_secret(source.secret, source.roster, producer, conversation)
            producer.flush()
    except GarimError as error:
        kind = Kind.UNAVAILABLE if isinstance(error, StoreUnavailableError) else Kind.INVALID
        text = str(error).removeprefix(f"{error.reason}: ").partition(" (field ")[0]
        raise RefusedError(error.reason, text, kind=kind, field=error.field) from None
    return done


def import_chat(
    chat: Annotated[Path, typer.Argument(metavar="CHAT", help="An exported chat.")],
    export_format: Annotated[
        str,
        typer.Option("--format", help="auto, irc, kakaotalk, whatsapp, telegram, or an exact format."),
    ] = "auto",
    timezone: Annotated[
        str, typer.Option("--timezone", help="IANA zone of its times; without: Asia/Seoul, for IRC UTC.")
    ] = "",
    roster: Annotated[
        Path | None, typer.Option("--roster", help="JSON file with members' phones and e-mail addresses.")
    ] = None,
    secret: Annotated[Path | None, typer.Option("--secret", help="A secret chat beside it.")] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How to read dates such as 3/4/24."),
    ] = None,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hand an exported chat to the message store, with every change of who is there."""
    MeshFolder(mesh).person(who, "backend")
    with bar("reading", quiet=as_json) as progress:
        source = read_source(chat, export_format, timezone, roster, secret, progress.to, day_first=day_first)
        done = send(source, mesh, who, lambda read, total: progress.to(read, total, "importing"))
    counts = source.reader.skipped
    value = {
        "conversation": done.conversation,
        "format": str(source.reader.format),
        "timezone": source.reader.timezone,
        "messages": done.messages,
        "roster_changes": done.changes,
        "members": len(done.members),
        "secret_blocks": done.secret,
        "skipped": {"deleted": counts.deleted, "unknown": counts.unknown, "system": counts.system},
    }
    emit(as_json, value, lambda console: console.print(facts((k, v) for k, v in value.items())))
    _warn(counts, as_json)


def _warn(counts: Counts, as_json: bool) -> None:
    if counts.unknown and not as_json:
        numbers = ", ".join(map(str, counts.unknown_lines))
        err().print(f"{counts.unknown} lines of no known form were skipped (lines {numbers})")
