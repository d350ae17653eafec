"""`garim document`: drafting and signing (for rehearsals), handing in, looking at."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.cli import document_files, pdf_files
from garim.cli.cases import Submitted, submit
from garim.cli.draft_commands import app as draft_app
from garim.cli.files import give, read_input
from garim.cli.keyfiles import passphrase_of
from garim.cli.mesh_plan import Places
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, OutOption, PassphraseOption
from garim.cli.output import emit, err, error_json, facts, print_refusal
from garim.cli.session import session
from garim.documents.claims import Revocation
from garim.documents.fields import write_instant
from garim.documents.media_types import PDF_MEDIA_TYPE, media_type_of
from garim.kit.clock import SystemClock
from garim.kit.document_opener import DocumentOpener
from garim.statements.governance import Governance
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

app = typer.Typer(no_args_is_help=True, help="Official documents.")
app.add_typer(draft_app, name="draft")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A draft or document.")]


@app.command()
def sign(
    file: FileArgument,
    key: Annotated[Path, typer.Option("--key", help="Private key, PEM, mode 0600: P-256 or Ed25519.")],
    chain: Annotated[Path, typer.Option("--chain", help="Its certificate and intermediates, PEM.")],
    out: OutOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add one signature; the first one turns a draft into an envelope. A PDF stays a PDF."""
    data = read_input(file, "document")
    passphrase = None
    if passphrase_file is not None:
        with passphrase_of(passphrase_file, None, "the signer") as secret:
            passphrase = bytes(secret.buffer)
    private, certificates = document_files.read_private_key(key, passphrase), document_files.read_chain(chain)
    if media_type_of(data) == PDF_MEDIA_TYPE:
        signed, opened = pdf_files.sign_file(data, private, certificates, SystemClock().now_ms())
    else:
        signed = document_files.sign_file(data, private, certificates)
        opened = document_files.open_file(signed)
    give(out, signed)
    if out is None:
        return
    value = {"file": str(out), "digest": opened.digest, "signatures": opened.signatures}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command("submit")
def submit_command(
    file: FileArgument,
    attachments: Annotated[
        Path | None,
        typer.Option("--attachments", help="Folder of sealed identities that `unmask draft` wrote."),
    ] = None,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hand a signed document in; a revocation goes to custody as well, where it acts at once."""
    data = read_input(file, "document")
    beside = read_attachments(attachments)
    with session(mesh, who, "clerk") as own:
        opened = document_files.read_document(data, own.open_document)
        if isinstance(opened.claims, Revocation):
            document = statement_pb2.Document(media_type=media_type_of(data), content=data)
            own.custody.SubmitRevocation(custody_pb2.SubmitRevocationRequest(document=document))
        result = submit(own, data, beside)
    _report(as_json, result)


def read_attachments(folder: Path | None) -> list[bytes]:
    """Return the sealed identities in a folder, in order of their pseudonyms.

    Raises:
        RefusedError: `ATTACHMENTS`: the folder holds none.
    """
    if folder is None:
        return []
    found = [path.read_bytes() for path in sorted(folder.glob("*.sealed"))]
    if not found:
        raise RefusedError("ATTACHMENTS", f"{folder} holds no sealed identities", field="attachments")
    return found


def _report(as_json: bool, result: Submitted) -> None:
    if result.state == "refused":
        refusal = RefusedWithReasonsError(result.reasons)
        record = (result.refusal or result.case).hex()
        if as_json:
            emit(as_json, {**error_json(refusal), "record": record}, lambda _console: None)
        else:
            print_refusal(refusal, as_json=False)
            err().print(Text(f"  on record: garim case letter {record}", style="dim"))
        raise typer.Exit(1)
    value = {
        "state": result.state,
        "case": result.case.hex(),
        "unmask_request": result.unmask_request.hex() or None,
    }
    emit(as_json, value, lambda console: console.print(facts((k, v) for k, v in value.items() if v)))


@app.command()
def show(
    file: FileArgument,
    mesh: MeshOption = DEFAULT_MESH,
    governance_file: Annotated[
        Path | None, typer.Option("--governance", help="Governance document with the trust anchors.")
    ] = None,
    crls: Annotated[
        Path | None, typer.Option("--crls", help="Folder of revocation lists; the mesh's own without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a document says, and verify who signed it."""
    data = read_input(file, "document")
    places = Places(mesh)
    anchors = governance_file or places.governance / "version-1.json"
    governance = (
        Governance.from_bytes(read_input(anchors, "governance document"))
        if governance_file is not None or anchors.exists()
        else None
    )
    refusal: RefusedError | None = None
    signers: list[tuple[str, str, str]] = []
    with closing(DocumentOpener()) as opener:
        opened = document_files.read_document(data, opener.open)
        if opened.signatures:
            lists = document_files.crls_in(crls or places.crls)
            try:
                signers = document_files.signers_of(
                    data, opener.open, governance, lists, SystemClock().now_ms()
                )
            except RefusedError as error:
                refusal = error
    value = {
        "digest": opened.digest,
        "signatures": opened.signatures,
        "verified": bool(signers),
        "signers": [{"role": role, "name": name, "organisation": org} for role, name, org in signers],
        "document": opened.claims.model_dump(mode="json"),
    }
    if refusal is None or not as_json:
        emit(as_json, value, lambda console: _print(console, value))
    if refusal is not None:
        print_refusal(refusal, as_json=as_json)
        raise typer.Exit(1)


def _print(console: Console, value: dict[str, Any]) -> None:
    said = dict(value["document"])
    period = said.pop("period", None)
    rows: list[tuple[str, Any]] = [("kind", said.pop("kind")), ("digest (SHA-256)", value["digest"])]
    for name in (
        "authority",
        "court",
        "audience",
        "number",
        "case_number",
        "offence",
        "warrant_type",
        "mode",
    ):
        if name in said:
            rows += [(name.replace("_", " "), said[name])]
    rows += [
        (name.removesuffix("_ms") + " at", write_instant(said[name]))
        for name in ("issued_ms", "expires_ms", "until_ms")
        if said.get(name) is not None
    ]
    if period:
        spans = (write_instant(period["start_ms"]), write_instant(period["end_ms"]))
        rows.append(("period", f"{spans[0]} up to {spans[1]}"))
    rows += [("subject", f"{one['kind']}:{one['value']}") for one in said.get("subjects", [])]
    rows += [
        (one["pseudonym"], "grounds: " + ", ".join(ground["message"] for ground in one["grounds"]))
        for one in said.get("identities", [])
    ]
    for name in ("dossier", "first_document", "recipient", "revokes", "reason"):
        if name in said:
            rows.append((name.replace("_", " "), said[name]))
    console.print(facts(rows))
    if value["verified"]:
        for signer in value["signers"]:
            line = f"signed: {signer['name']}, {signer['organisation']} ({signer['role']})"
            console.print(Text(line, style="green"))
    elif value["signatures"]:
        console.print(f"{value['signatures']} signatures; nobody's authority was verified")
    else:
        console.print("a draft: nobody has signed it")
