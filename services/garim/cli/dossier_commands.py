"""`garim dossier`: build, fetch, open, verify, show, apply, acknowledge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console

from garim.api.redaction.v1 import redaction_pb2
from garim.cli import document_files, dossier_files
from garim.cli.cases import case_id
from garim.cli.dossier_build import build
from garim.cli.dossier_view import print_messages
from garim.cli.files import read_input
from garim.cli.hold_commands import app as holds_app
from garim.cli.meshfolder import MeshFolder
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import bar, emit, facts
from garim.cli.session import session
from garim.documents.acknowledgement import write_acknowledgement
from garim.documents.fields import write_instant
from garim.documents.sign import PrivateKey
from garim.dossier.answer_file import AnswerFile, verify_answers
from garim.dossier.answers import apply_answers
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.opening import OpenedDossier
from garim.dossier.verification import verify_originals
from garim.kit.clock import SystemClock
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError

app = typer.Typer(no_args_is_help=True, help="Dossiers.")
app.add_typer(holds_app, name="holds")

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case.")]
FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="An opened dossier.")]
GenesisOption = Annotated[
    str, typer.Option("--genesis", help="SHA-256 of governance version 1; the mesh folder's own without.")
]
ReceiptOption = Annotated[Path, typer.Option("--receipt", help="receipt.json that came with the package.")]
IdentityOption = Annotated[Path, typer.Option("--identity", help="age identity of the recipient, mode 0600.")]


def genesis_of(genesis: str, mesh: Path) -> str:
    """Return the genesis digest named on the command line, or the mesh folder's."""
    return genesis or MeshFolder(mesh).read().genesis


@app.command("build")
def build_command(
    case: CaseArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """Make the dossier of a granted case, or keep what a preservation order names."""
    with session(mesh, who, "clerk") as own, bar("preparing", quiet=as_json) as progress:
        built = build(own, case_id(case), lambda stage, done, total: progress.to(done, total or None, stage))
    value = built.to_json() if built.dossier else {"preserved": True}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def fetch(
    case: CaseArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the package and its receipt.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Fetch the encrypted package and its receipt; goes on where it broke off."""
    with session(mesh, who, "clerk") as own, bar("bytes", quiet=as_json) as progress:
        receipt = dossier_files.fetch(own, case_id(case), out, own.mesh.genesis, progress.to)
    value = {
        "package": str(out / dossier_files.PACKAGE),
        "receipt": str(out / dossier_files.RECEIPT),
        "bytes": receipt.package_bytes,
        "sha256": receipt.package,
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command("open")
def open_command(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="dossier.zip.age")],
    identity: IdentityOption,
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    as_json: JsonOption = False,
) -> None:
    """Decrypt and unpack a package, as its recipient."""
    opened = dossier_files.open_package(package, identity, out)
    value = {
        "folder": str(out),
        "transcript": str(out / "transcript" / "index.html"),
        "dossier": opened.about.dossier,
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def verify(
    receipt: ReceiptOption,
    package: Annotated[Path | None, typer.Option("--package", help="dossier.zip.age")] = None,
    opened: Annotated[Path | None, typer.Option("--opened", help="Folder of the opened dossier.")] = None,
    answer: Annotated[Path | None, typer.Option("--answer", help="answer.age; needs --opened.")] = None,
    identity: Annotated[Path | None, typer.Option("--identity", help="age identity for --answer.")] = None,
    genesis: GenesisOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    as_json: JsonOption = False,
) -> None:
    """Verify everything offline: governance, receipt, log proof, package, every message and identity.

    With an answer also that each mask of the released identities hid exactly what they say.
    """
    chosen = genesis_of(genesis, mesh)
    stated, governance = dossier_files.verify_all(receipt, chosen, package, opened)
    masks = None
    if answer is not None:
        if opened is None or identity is None:
            raise RefusedError("FIELD_MISSING", "--answer needs --opened and --identity", field="answer")
        released = open_answers(opened, answer, identity, receipt, chosen)
        masks = verify_originals(OpenedDossier(opened), released)
    value = {
        "verified": True,
        "checked": ["governance", "receipt", "log"]
        + (["package"] if package else [])
        + (["messages", "identities"] if opened else [])
        + (["masks"] if answer else []),
        "masks_opened": masks,
        "governance_version": governance.version,
        **receipt_facts(stated),
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


def receipt_facts(receipt: DossierReceipt) -> dict[str, Any]:
    """Return what a receipt says, for people."""
    return {
        "dossier": receipt.dossier,
        "authority": receipt.authority,
        "case_number": receipt.case_number,
        "mode": receipt.mode,
        "names": receipt.masking.names,
        "times": receipt.masking.times,
        "messages": receipt.messages,
        "identities": receipt.identities,
        "package": receipt.package,
        "unmask_until": write_instant(receipt.unmask_until) if receipt.unmask_until else None,
    }


@app.command()
def show(
    folder: FolderArgument,
    conversation: Annotated[int, typer.Option("--conversation", help="Only this one; all without.")] = 0,
    limit: Annotated[int, typer.Option("--limit", help="At most so many messages; 0 for all.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print the masked messages of an opened dossier."""
    dossier = OpenedDossier(folder)
    print_messages(dossier, conversation, limit, as_json)


@app.command()
def apply(
    folder: FolderArgument,
    answer: Annotated[Path, typer.Option("--answer", help="answer.age, as it was collected.")],
    identity: IdentityOption,
    receipt: ReceiptOption,
    out: Annotated[Path, typer.Option("--out", help="A new folder for the opened transcript.")],
    genesis: GenesisOption = "",
    mesh: MeshOption = DEFAULT_MESH,
    as_json: JsonOption = False,
) -> None:
    """Write the transcript anew with the released identities opened; the package stays as it is."""
    opened = open_answers(folder, answer, identity, receipt, genesis_of(genesis, mesh))
    apply_answers(OpenedDossier(folder), opened, out)
    value = {
        "transcript": str(out / "index.html"),
        "opened": {pseudonym: one.name for pseudonym, one in opened.items()},
    }
    emit(as_json, value, lambda console: _print_opened(console, value))


def open_answers(
    folder: Path, answer: Path, identity: Path, receipt: Path, genesis: str
) -> dict[str, OpenedIdentity]:
    """Decrypt released identities; verify each against package, receipt and log, and every mask against them.

    Raises:
        RefusedError: Those of decryption, `AnswerFile.from_bytes`, `verify_opened`, `verify_answers` and
            `verify_originals`.
    """
    plain = dossier_files.decrypt_small(read_input(answer, "answer"), dossier_files.read_identity(identity))
    stated, governance = dossier_files.verify_all(receipt, genesis, None, folder)
    dossier = OpenedDossier(folder)
    sealed = {one.pseudonym: one.sealed for one in dossier.identities()}
    opened = verify_answers(AnswerFile.from_bytes(plain), sealed, stated, governance)
    verify_originals(dossier, opened)
    return opened


def _print_opened(console: Console, value: dict[str, Any]) -> None:
    console.print(facts(value["opened"].items()))
    console.print(f"transcript: {value['transcript']}")


@app.command()
def acknowledge(
    case: CaseArgument,
    package: Annotated[Path, typer.Option("--package", help="The package as it was received.")],
    key: Annotated[Path, typer.Option("--key", help="Private key of the certificate the document names.")],
    certificate: Annotated[Path, typer.Option("--certificate", help="That certificate, PEM.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Sign for a received package and hand the receipt in; the operator then deletes its copy."""
    private = document_files.read_private_key(key, None)
    digest = dossier_files.file_digest(package)
    signed = write_acknowledgement(
        digest,
        SystemClock().now_ms(),
        document_files.read_chain(certificate)[0],
        lambda data: _sign(private, data),
    )
    with session(mesh, who, "clerk") as own:
        own.redaction.AcknowledgeDossier(
            redaction_pb2.AcknowledgeDossierRequest(case_id=case_id(case), acknowledgement=signed)
        )
    emit(as_json, {"acknowledged": digest}, lambda console: console.print(f"acknowledged: {digest}"))


def _sign(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    return key.sign(data)
