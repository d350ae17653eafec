"""`garim etsi`: HI1 messages (TS 103 120): made and signed for rehearsals, sent, and their answers read."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console

from garim.cli import document_files, etsi_client
from garim.cli.document_commands import read_attachments
from garim.cli.files import give, read_input
from garim.cli.keyfiles import passphrase_of
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, OutOption, PassphraseOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.session import session
from garim.documents import draft
from garim.documents.claims import Claims, Span, Subject, read_claims
from garim.documents.etsi import write
from garim.documents.etsi.comparing import compare
from garim.documents.etsi.names import local
from garim.documents.etsi.parsing import read_message
from garim.documents.etsi.reading import Answer, read_answer
from garim.documents.etsi.sign import sign_message
from garim.documents.etsi.signature import verify_signature
from garim.documents.fields import parse_instant
from garim.documents.pdf import open_pdf
from garim.kit.clock import SystemClock
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

app = typer.Typer(no_args_is_help=True, help="ETSI TS 103 120 (HI1) messages.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="An HI1 message, XML.")]
SenderOption = Annotated[str, typer.Option("--sender", help="The agency.")]
ReceiverOption = Annotated[str, typer.Option("--receiver", help="The operator, as governance has it.")]


def _writing(sender: str, receiver: str) -> write.Writing:
    return write.Writing(sender, receiver, SystemClock().now_ms(), lambda: str(uuid.uuid4()))


def _give(out: Path | None, as_json: bool, message: bytes) -> None:
    """Write a message to a file and say what it is, or to standard output."""
    give(out, message)
    if out is None:
        return
    header = read_message(message).header
    value = {"file": str(out), "transaction": header.transaction, "sender": header.sender.name}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def make(
    warrant: Annotated[Path, typer.Argument(metavar="PDF", help="The court's signed document.")],
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="KIND:VALUE; only these of the court's subjects.")
    ] = None,
    period: Annotated[
        tuple[str, str] | None, typer.Option("--period", help="From and to; within the court's period.")
    ] = None,
    attachments: Annotated[
        Path | None,
        typer.Option("--attachments", help="Folder of sealed identities that `unmask draft` wrote."),
    ] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the request around a court's document: for what it allows, or for less."""
    pdf = read_input(warrant, "court's document")
    allowed = read_claims(open_pdf(pdf, signers=1).payload)
    asked = _narrowed(allowed, subject or [], period)
    differences = compare(allowed, asked)
    if differences:
        raise RefusedWithReasonsError(differences)
    sealed = read_attachments(attachments)
    _give(out, as_json, write.request(_writing(asked.authority, asked.audience), asked, pdf, sealed))


def _narrowed(allowed: Claims, subjects: list[str], period: tuple[str, str] | None) -> Claims:
    changes: dict[str, Any] = {}
    if subjects:
        pairs = [one.partition(":") for one in subjects]
        changes["subjects"] = tuple(
            Subject.from_json({"kind": kind, "value": draft.normalise_identifier(kind, value)})
            for kind, _, value in pairs
        )
    if period is not None:
        try:
            start, end = (parse_instant(one) for one in period)
        except ValueError:
            raise RefusedError("FIELD_VALUE", "write two instants or dates", field="period") from None
        changes["period"] = Span.model_construct(start_ms=start, end_ms=end)
    missing = sorted(set(changes) - set(type(allowed).model_fields))
    if missing:
        raise RefusedError("FIELD_UNKNOWN", "this kind of document does not have it", field=missing[0])
    return allowed.model_copy(update=changes)


@app.command()
def sign(
    file: FileArgument,
    key: Annotated[Path, typer.Option("--key", help="The agency's private key, PEM, mode 0600: P-256.")],
    chain: Annotated[Path, typer.Option("--chain", help="Its certificate and intermediates, PEM.")],
    out: OutOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a message as its sender."""
    data = read_input(file, "message")
    passphrase = None
    if passphrase_file is not None:
        with passphrase_of(passphrase_file, None, "the signer") as secret:
            passphrase = bytes(secret.buffer)
    private = document_files.read_private_key(key, passphrase)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "sign a message with a P-256 key", field="key")
    _give(out, as_json, sign_message(data, private, document_files.read_chain(chain)))


@app.command()
def cancel(
    authorisation: Annotated[str, typer.Argument(metavar="ID", help="The authorisation's identifier.")],
    sender: SenderOption,
    receiver: ReceiverOption,
    generation: Annotated[int, typer.Option("--generation", help="Which generation of it is known.")] = 1,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a message that cancels an authorisation of the sender's own, with its case."""
    _give(out, as_json, write.cancellation(_writing(sender, receiver), authorisation, generation))


@app.command()
def ask(
    sender: SenderOption,
    receiver: ReceiverOption,
    objects: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Of objects; without, a list of all.")
    ] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a message that asks how objects of the sender's own stand."""
    _give(out, as_json, write.query(_writing(sender, receiver), objects or []))


@app.command()
def submit(
    file: FileArgument,
    url: Annotated[
        str, typer.Option("--url", help="Send it as an agency: https://host:port/hi1. Without: as a clerk.")
    ] = "",
    certificate: Annotated[Path, typer.Option("--certificate", help="Client certificate, PEM.")] = Path(
        "client.pem"
    ),
    key: Annotated[Path, typer.Option("--key", help="Its private key, PEM.")] = Path("client.key"),
    trust: Annotated[Path, typer.Option("--trust", help="The server's authority, PEM.")] = Path("ca.pem"),
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a signed message, and show the answer; ends with status 1 where anything was refused."""
    data = read_input(file, "message")
    if url:
        answer = etsi_client.post(url, data, certificate=certificate, key=key, trust=trust)
    else:
        with session(mesh, who, "clerk") as own:
            answer = etsi_client.hand_in(own, data)
    if out is not None:
        give(out, answer)
    read = read_answer(answer)
    _show_answer(as_json, read)
    if read.failed:
        raise typer.Exit(1)


@app.command()
def show(file: FileArgument, as_json: JsonOption = False) -> None:
    """Show what a message asks for and whether its signature is right, or what an answer says."""
    data = read_input(file, "message")
    message = read_message(data)
    if message.is_answer:
        _show_answer(as_json, read_answer(data))
        return
    refusal: RefusedError | None = None
    try:
        message = read_message(verify_signature(data).content)
    except RefusedError as error:
        refusal = error
    actions = [
        {
            "action": one.identifier,
            "verb": one.verb,
            "object": local(one.subject.kind) if one.subject is not None else one.object_type,
            "identifier": one.target,
        }
        for one in message.actions
    ]
    value = {
        "sender": message.header.sender.name,
        "receiver": message.header.receiver.name,
        "transaction": message.header.transaction,
        "timestamp": message.header.timestamp,
        "version": message.header.version,
        "profile": " ".join(message.header.profile),
        "signature": "right; whose it is, the operator verifies" if refusal is None else refusal.reason,
        "actions": actions,
    }
    emit(as_json, value, lambda console: _print_message(console, value))


def _print_message(console: Console, value: dict[str, Any]) -> None:
    console.print(facts((name, one) for name, one in value.items() if name != "actions"))
    columns = ("action", "verb", "object", "identifier")
    console.print(rows_table(columns, [[one[name] for name in columns] for one in value["actions"]]))


def _show_answer(as_json: bool, answer: Answer) -> None:
    results = [dataclasses.asdict(one) for one in answer.results]
    value = {"transaction": answer.header.transaction, "refused": answer.failed, "results": results}
    emit(as_json, value, lambda console: _print_answer(console, answer))


def _print_answer(console: Console, answer: Answer) -> None:
    columns = ("action", "what", "object", "identifier", "generation", "status")
    rows = [
        ["-" if one.action is None else one.action, one.said, *dataclasses.astuple(one)[2:6]]
        for one in answer.results
        if not one.code
    ]
    if rows:
        console.print(rows_table(columns, rows))
    elif not answer.failed:
        console.print("nothing to list")
    said: dict[tuple[int, str], list[str]] = {}
    for one in answer.results:
        if one.code or one.description:
            number = "the message" if one.action is None else f"action {one.action}"
            said.setdefault((one.code, one.description), []).append(number)
    for (code, description), numbers in said.items():
        console.print(f"{', '.join(numbers)}: {f'error {code}: ' if code else ''}{description}")
