"""`garim unmask`: second requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from garim.api.custody.v1 import custody_pb2
from garim.cli import unmask_flow
from garim.cli.cases import case_id
from garim.cli.document_files import acknowledger_of, open_file, recipient_of
from garim.cli.dossier_commands import GenesisOption, IdentityOption, ReceiptOption, genesis_of, open_answers
from garim.cli.dossier_files import verify_all
from garim.cli.draft_commands import AsPdf, common
from garim.cli.files import make_folder, write_private
from garim.cli.mesh_plan import Places
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, PassphraseOption, ReasonOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.pdf_files import draw_file
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask, grounds_for
from garim.dossier.opening import OpenedDossier
from garim.statements.refusal import RefusedError

app = typer.Typer(no_args_is_help=True, help="Second requests: the identities behind pseudonyms.")
RequestArgument = Annotated[str, typer.Argument(metavar="REQUEST", help="Id of the unmask request.")]
ATTACHMENTS_SUFFIX = ".attachments"


def write_draft(out: Path, payload: bytes, sealed: list[tuple[str, bytes]]) -> Path:
    """Write a second request's payload and, beside it, the sealed identities that it names.

    Args:
        out: File of the payload.
        payload: From `draft_unmask`, as JSON or drawn as PDF.
        sealed: From `draft_unmask`.

    Returns:
        The folder of sealed identities.
    """
    folder = out.with_name(out.name + ATTACHMENTS_SUFFIX)
    make_folder(folder)
    for old in folder.glob("*.sealed"):
        old.unlink()
    for pseudonym, data in sealed:
        write_private(folder / f"{pseudonym}.sealed", data)
    write_private(out, payload, replace=True)
    return folder


def parse_wanted(texts: list[str], dossier: OpenedDossier) -> dict[str, list[str]]:
    """Read `PSEUDONYM` or `PSEUDONYM=C1-0001,C1-0002`; without messages the first few are taken.

    Raises:
        RefusedError: `PSEUDONYM_REPEATED`.
    """
    wanted: dict[str, list[str]] = {}
    for text in texts:
        pseudonym, _, numbers = text.partition("=")
        if pseudonym in wanted:
            raise RefusedError("PSEUDONYM_REPEATED", "a pseudonym is named twice", field="pseudonym")
        wanted[pseudonym] = numbers.split(",") if numbers else grounds_for(dossier, pseudonym)
    return wanted


@app.command()
def draft(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The opened dossier.")],
    receipt: ReceiptOption,
    pseudonym: Annotated[
        list[str],
        typer.Option("--pseudonym", help="PSEUDONYM or PSEUDONYM=C1-0001,C1-0002 with the messages."),
    ],
    audience: Annotated[str, typer.Option("--audience", help="The operator.")],
    court: Annotated[str, typer.Option("--court", help="The court.")],
    number: Annotated[str, typer.Option("--number", help="The new document's number.")],
    recipient: Annotated[str, typer.Option("--recipient", help="age recipient, or a file that holds it.")],
    acknowledger: Annotated[Path, typer.Option("--acknowledger", help="Certificate that signs for it.")],
    out: Annotated[Path, typer.Option("--out", help="File of the draft; sealed identities go beside it.")],
    issued_at: Annotated[str, typer.Option("--issued-at", help="RFC 3339; now without.")] = "",
    pdf: AsPdf = False,
    genesis: GenesisOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    as_json: JsonOption = False,
) -> None:
    """Draft a second request from an opened package, with proofs of every pseudonym and message."""
    stated, _ = verify_all(receipt, genesis_of(genesis, mesh), None, folder)
    dossier = OpenedDossier(folder)
    payload, sealed = draft_unmask(
        dossier,
        stated,
        parse_wanted(pseudonym, dossier),
        common(audience, stated.authority, court, number, stated.case_number, issued_at),
        recipient=recipient_of(recipient),
        acknowledger=acknowledger_of(acknowledger),
    )
    attachments = write_draft(out, draw_file(payload) if pdf else payload, sealed)
    value = {
        "file": str(out),
        "attachments": str(attachments),
        "digest": open_file(payload).digest,
        "identities": len(sealed),
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command("list")
def list_requests(mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False) -> None:
    """List unmask requests, newest first."""
    found: list[dict[str, Any]] = []
    with session(mesh, who, who.rpartition("/")[0] or "custodian") as own:
        token = ""
        while True:
            request = custody_pb2.ListUnmaskRequestsRequest(page_token=token)
            answer = own.custody.ListUnmaskRequests(request)
            found += [unmask_flow.summary_json(one) for one in answer.requests]
            token = answer.next_page_token
            if not token:
                break
    columns = ("request", "state", "identities", "approvals", "denials", "needed", "expires")
    emit(
        as_json,
        {"requests": found},
        lambda console: console.print(
            rows_table(columns, [[one[name] for name in columns] for one in found])
            if found
            else "no unmask requests"
        ),
    )


@app.command()
def show(
    request: RequestArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """Show a request after verifying every document, grant, receipt and proof in it."""
    number = case_id(request)
    with session(mesh, who, "custodian") as own:
        answer = unmask_flow.fetch_request(own, number)
        checked = unmask_flow.verify_request(own, number, answer, Places(mesh).crls)
    value = {
        **unmask_flow.summary_json(answer.summary),
        "authority": checked.claims.authority,
        "case_number": checked.claims.case_number,
        "signed_by": [checked.court, checked.chief],
        "filer": checked.grant.filer,
        "first_document": checked.claims.first_document,
        "asked": {
            one.pseudonym: [ground.message for ground in one.grounds] for one in checked.claims.identities
        },
        "subject": checked.subject,
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def approve(
    request: RequestArgument,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    reason: ReasonOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve an unmasking with your shares, after verifying everything here."""
    with session(mesh, who, "custodian") as own:
        summary = unmask_flow.approve(own, case_id(request), Places(mesh).crls, reason, passphrase_file)
    value = unmask_flow.summary_json(summary)
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def deny(
    request: RequestArgument,
    reason: ReasonOption,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny an unmasking."""
    with session(mesh, who, "custodian") as own:
        summary = unmask_flow.deny(own, case_id(request), Places(mesh).crls, reason, passphrase_file)
    value = unmask_flow.summary_json(summary)
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def collect(
    request: RequestArgument,
    out: Annotated[Path, typer.Option("--out", help="File for the answer, encrypted to the recipient.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Collect approved identities; only the recipient can open the answer."""
    with session(mesh, who, "clerk") as own:
        data = unmask_flow.collect(own, case_id(request))
    write_private(out, data, replace=True)
    value = {"file": str(out), "bytes": len(data)}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command("open")
def open_command(
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="answer.age")],
    folder: Annotated[Path, typer.Option("--dossier", help="The opened dossier.")],
    identity: IdentityOption,
    receipt: ReceiptOption,
    genesis: GenesisOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    as_json: JsonOption = False,
) -> None:
    """Decrypt released identities, verify them against package, receipt and log, and print them."""
    opened = open_answers(folder, answer, identity, receipt, genesis_of(genesis, mesh))
    rows = [(pseudonym, one.name) for pseudonym, one in opened.items()]
    emit(
        as_json,
        {"identities": {pseudonym: dict(one.facts) for pseudonym, one in opened.items()}},
        lambda console: console.print(facts(rows)),
    )
