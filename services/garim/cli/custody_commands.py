"""`garim custody`: stop every release at once, go on again, look, hand one's shares on."""

from __future__ import annotations

from typing import Any

import typer

from garim.api.custody.v1 import custody_pb2
from garim.cli.decisions import decide
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, PassphraseOption, ReasonOption
from garim.cli.output import emit, facts
from garim.cli.session import session
from garim.cli.share_commands import app as share_app
from garim.kit.convert import envelope_to
from garim.statements import subjects
from garim.statements.refusal import Kind, RefusedError

app = typer.Typer(no_args_is_help=True, help="Key custody.")
app.add_typer(share_app, name="shares")


@app.command()
def status(mesh: MeshOption = DEFAULT_MESH, who: AsOption = "operator/", as_json: JsonOption = False) -> None:
    """Say whether custody is frozen and what it holds, in numbers."""
    with session(mesh, who, who.rpartition("/")[0] or "operator") as own:
        answer = own.custody.GetCustodyStatus(custody_pb2.GetCustodyStatusRequest())
    value: dict[str, Any] = {
        "frozen": bool(answer.freeze_id),
        "freeze": answer.freeze_id.hex() or None,
        "freeze_reason": answer.freeze_reason or None,
        "governance_version": answer.governance_version,
        "epochs": answer.epochs,
        "dossiers": answer.dossiers,
        "pending_requests": answer.pending_requests,
        "preservations": answer.preservations,
    }
    rows = [(name.replace("_", " "), one) for name, one in value.items() if one is not None]
    emit(as_json, value, lambda console: console.print(facts(rows)))


@app.command()
def freeze(
    reason: ReasonOption,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop every release at once; one custodian is enough."""
    with session(mesh, who, "custodian") as own:
        subject = subjects.freeze(own.mesh.mesh)
        decision = decide(own, "freeze", subject, reason, passphrase_file, log_answers=False)
        answer = own.custody.Freeze(custody_pb2.FreezeRequest(decision=envelope_to(decision)))
    value = {"freeze": answer.freeze_id.hex()}
    emit(as_json, value, lambda console: console.print(f"frozen: {value['freeze']}"))


@app.command()
def thaw(
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    reason: ReasonOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide to end the freeze in force; it takes the quorum."""
    with session(mesh, who, "custodian") as own:
        standing = own.custody.GetCustodyStatus(custody_pb2.GetCustodyStatusRequest())
        if not standing.freeze_id:
            raise RefusedError("NOT_FROZEN", "custody is not frozen", kind=Kind.PRECONDITION)
        subject = subjects.thaw(standing.freeze_id)
        decision = decide(own, "thaw", subject, reason, passphrase_file)
        answer = own.custody.Thaw(custody_pb2.ThawRequest(decision=envelope_to(decision)))
    value = {"frozen": answer.frozen, "approvals": answer.approvals, "needed": answer.needed}
    emit(as_json, value, lambda console: console.print(facts(value.items())))
