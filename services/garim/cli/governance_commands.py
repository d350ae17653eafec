"""`garim governance`: genesis, and the versions that follow it."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field
from rich.console import Console

from garim.api.custody.v1 import custody_pb2
from garim.cli import governance_init, keyfiles
from garim.cli.decisions import decide
from garim.cli.files import read_input, write_private
from garim.cli.governance_draft import drafted, highest, keep_pinned_policy, read_pin
from garim.cli.governance_init import Plan, key_text
from garim.cli.mesh_plan import Places
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, OutOption, PassphraseOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.session import session
from garim.cli.trust_anchors import make_anchor
from garim.documents.policy import load_policy
from garim.documents.x509 import Role
from garim.kit.clock import SystemClock
from garim.kit.convert import envelope_to
from garim.statements import governance
from garim.statements.governance import Governance, LogIdentity, ServiceKey, Terms
from garim.statements.model import CheckpointSeen, Closed, Name
from garim.statements.refusal import Kind, RefusedError

app = typer.Typer(no_args_is_help=True, help="Who decides, under which keys, and what is trusted.")


class _PlanService(Closed):
    service: Literal["messages", "warrants", "custody"]
    instance: Name
    key: str


class _PlanLog(Closed):
    origin: str
    key: str
    witnesses: tuple[str, ...] = ()


class _PlanAnchor(Closed):
    role: Role
    certificate: str
    authorities: tuple[str, ...] = ()
    crl_issuers: tuple[str, ...] = ()
    policy: str = ""
    title: str = ""
    unit: str = ""


class _PlanTerms(Closed):
    epoch_hours: Annotated[int, Field(ge=1)] = 24
    retention_hours: Annotated[int, Field(ge=0)] = 72
    max_crl_age_hours: Annotated[int, Field(ge=1)] = 168


class PlanFile(Closed):
    """What a plan file (TOML) says; files in it are relative to it.

    Args:
        mesh: Name of the mesh.
        audience: The operator's name as documents address it.
        environment: `development` for a mesh that trusts certificates marked for it, for good.
        custodians: Names.
        quorum: How many custodians open something.
        reviewers: Names.
        review_quorum: How many reviewers decide.
        policy: The policy file.
        log: Origin and public key file (PEM) of the log, witnesses' keys.
        services: Service, instance and public key file (PEM) of each.
        anchors: Role, certificate file, authorities, further issuers of revocation lists, and what binds the
            role: policy, title, unit (see `trust_anchors.make_anchor`).
        terms: Times in hours.
    """

    mesh: Name
    audience: str
    environment: Literal["production", "development"] = "production"
    custodians: tuple[Name, ...]
    quorum: int
    reviewers: tuple[Name, ...]
    review_quorum: int
    policy: str
    log: _PlanLog
    services: tuple[_PlanService, ...]
    anchors: tuple[_PlanAnchor, ...]
    terms: _PlanTerms = _PlanTerms()


@app.command()
def init(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.toml", help="What version 1 is to say.")],
    people: Annotated[Path, typer.Option("--people", help="Each person's keys go into a folder in here.")],
    folder: Annotated[Path, typer.Option("--out", help="Version 1, its signatures and digest go here.")],
    passphrases: Annotated[
        Path | None,
        typer.Option("--passphrases", help="Folder of files ROLE-NAME with passphrases; asked without."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make the custodians' and reviewers' keys and draw up governance version 1."""
    plan = _read_plan(plan_file)
    if (folder / governance_init.VERSION_FILE).exists():
        raise RefusedError("FILE_EXISTS", f"{folder} holds a governance already", kind=Kind.EXISTS)
    genesis = governance_init.draw_up(
        plan,
        people,
        lambda whose: keyfiles.new_passphrase(passphrases, whose),
        SystemClock().now_ms(),
        log2_cost=keyfiles.LOG2_COST,
    )
    governance_init.write_genesis(genesis, folder)
    value = {"genesis": genesis.digest, "folder": str(folder), "people": str(people)}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


def _read_plan(path: Path) -> Plan:
    try:
        values = tomllib.loads(read_input(path, "plan").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise RefusedError("PLAN_SYNTAX", f"{path} is no TOML: {where}") from None
    plan = PlanFile.from_json(values)
    base = path.absolute().parent
    hour = 3_600_000
    return Plan(
        mesh=plan.mesh,
        audience=plan.audience,
        environment=plan.environment,
        custodians=plan.custodians,
        quorum=plan.quorum,
        reviewers=plan.reviewers,
        review_quorum=plan.review_quorum,
        services=[
            ServiceKey(service=one.service, instance=one.instance, key=_public_key(base / one.key))
            for one in plan.services
        ],
        log=LogIdentity(
            origin=plan.log.origin,
            key=_public_key(base / plan.log.key),
            witnesses=plan.log.witnesses,
            old_pins=(),
        ),
        anchors=[
            make_anchor(
                one.role,
                base / one.certificate,
                one.authorities,
                [base / issuer for issuer in one.crl_issuers],
                policy=one.policy,
                title=one.title,
                unit=one.unit,
            )
            for one in plan.anchors
        ],
        policy=hashlib.sha256(read_input(base / plan.policy, "policy")).hexdigest(),
        terms=Terms(
            epoch=plan.terms.epoch_hours * hour,
            retention=plan.terms.retention_hours * hour,
            max_crl_age=plan.terms.max_crl_age_hours * hour,
        ),
    )


def _public_key(path: Path) -> str:
    try:
        key = serialization.load_pem_public_key(read_input(path, "public key"))
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise RefusedError("KEY_FILE", f"{path} is no Ed25519 public key in PEM")
    return key_text(key.public_bytes_raw())


@app.command()
def show(
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "operator/",
    document: Annotated[bool, typer.Option("--document", help="Print the document's exact bytes.")] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the governance in force, verified from the genesis digest, and open proposals."""
    from garim.cli.files import give

    with session(mesh, who, _role(who, "operator")) as own:
        current = own.governance()
        answer = own.custody.GetGovernance(custody_pb2.GetGovernanceRequest(from_version=current.version))
    if document or out is not None:
        give(out, answer.versions[0].document)
        return
    proposals = [
        {"digest": governance.digest(one.document), "approvals": len(one.decisions)}
        for one in answer.proposals
    ]
    value = {"governance": current.to_json(), "proposals": proposals}
    emit(as_json, value, lambda console: _print(console, current, proposals))


def _print(console: Console, current: Governance, proposals: list[dict[str, Any]]) -> None:
    console.print(
        facts(
            [
                ("mesh", current.mesh),
                ("version", current.version),
                ("audience", current.audience),
                ("environment", current.environment),
                ("custodians", ", ".join(one.person for one in current.custodians)),
                ("quorum", f"{current.quorum} of {len(current.custodians)}"),
                ("reviewers", ", ".join(one.person for one in current.reviewers)),
                ("review quorum", f"{current.review_quorum} of {len(current.reviewers)}"),
                ("log", current.log.origin),
                ("policy", current.policy),
                ("retention", f"{current.terms.retention / 3_600_000:g} hours after an epoch's end"),
            ]
        )
    )
    if proposals:
        console.print(rows_table(("proposal", "approvals"), [list(one.values()) for one in proposals]))


@app.command()
def draft(
    out: Annotated[Path, typer.Option("--out", help="File to write; edit it, then propose it.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    log_origin: Annotated[
        str, typer.Option("--log-origin", help="Name of a log that succeeds the one in force.")
    ] = "",
    log_key: Annotated[
        Path | None, typer.Option("--log-key", help="That log's public key, PEM.", metavar="KEY.pem")
    ] = None,
    pins: Annotated[
        list[str] | None,
        typer.Option("--pin", help="A verifier's pin of the former log; repeat.", metavar="SIZE:ROOT"),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="A new policy file; the present one is kept by its digest."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the next version from the one in force; with --log-origin, the one that succeeds a lost log."""
    if bool(log_origin) != (log_key is not None) or (pins and not log_origin):
        raise RefusedError(
            "FIELD_VALUE", "name a succeeding log's origin, key and pins together", field="log"
        )
    new_policy = "" if policy is None else load_policy(read_input(policy, "policy")).digest
    with session(mesh, who, "custodian") as own:
        current = own.governance()
        answer = own.custody.GetGovernance(custody_pb2.GetGovernanceRequest(from_version=current.version))
        seen = own.ledger.checkpoint_seen()
        now_ms = own.now_ms()
    log = None
    if log_key is not None:
        known = [read_pin(one) for one in pins or ()] + ([seen] if seen else [])
        log = LogIdentity(
            origin=log_origin,
            key=_public_key(log_key),
            witnesses=current.log.witnesses,
            old_pins=highest(known),
        )
    data = drafted(current, answer.versions[0].document, now_ms, log, policy=new_policy)
    governance.follow(current, answer.versions[0].document, data)
    kept = keep_pinned_policy(Places(mesh).policy, current.policy) if new_policy else None
    write_private(out, data)
    value = {"version": current.version + 1, "digest": governance.digest(data), "file": str(out)}
    if kept is not None:
        value["kept_policy"] = str(kept)
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def propose(
    document: Annotated[Path, typer.Argument(metavar="NEXT.json", help="The next version.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose the next governance version; the quorum's approvals put it in force."""
    data = read_input(document, "governance document")
    Governance.from_bytes(data)
    with session(mesh, who, "custodian") as own:
        answer = own.custody.ProposeGovernance(custody_pb2.ProposeGovernanceRequest(document=data))
    value = {"digest": answer.digest.hex()}
    emit(as_json, value, lambda console: console.print(f"proposed: {value['digest']}"))


@app.command()
def approve(
    digest: Annotated[str, typer.Argument(help="SHA-256 of the proposed document.")],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a proposed version after checking that it follows the one in force."""
    with session(mesh, who, "custodian") as own:
        current = own.governance()
        answer = own.custody.GetGovernance(custody_pb2.GetGovernanceRequest(from_version=current.version))
        wanted = [one.document for one in answer.proposals if governance.digest(one.document) == digest]
        if not wanted:
            raise RefusedError(
                "PROPOSAL_UNKNOWN", "no such proposal is open: see `garim governance show`", field="digest"
            )
        proposed = demand_follows(
            wanted[0], answer.versions[0].document, current, own.ledger.checkpoint_seen()
        )
        decision = decide(
            own,
            "governance",
            governance.decision_subject(wanted[0]),
            reason,
            passphrase_file,
            # The log that is succeeded need not answer any more.
            log_answers=proposed.log.origin == current.log.origin,
        )
        result = own.custody.DecideGovernance(
            custody_pb2.DecideGovernanceRequest(digest=bytes.fromhex(digest), decision=envelope_to(decision))
        )
    value = {"version": result.version, "approvals": result.approvals, "needed": result.needed}
    emit(as_json, value, lambda console: console.print(facts(value.items())))


def demand_follows(
    document: bytes, current_bytes: bytes, current: Governance, seen: CheckpointSeen | None
) -> Governance:
    """Refuse a proposal that does not follow the version in force, or forgets what this person has pinned.

    Args:
        document: The proposal's exact bytes.
        current_bytes: Those of the version in force.
        current: That version.
        seen: This person's pin of the log in force.

    Raises:
        RefusedError: Those of `governance.follow`; `GOVERNANCE_LOG`.
    """
    proposed = governance.follow(current, current_bytes, document)
    succeeds = proposed.log.origin != current.log.origin
    if succeeds and not governance.carries(proposed.log.old_pins, seen):
        raise RefusedError(
            "GOVERNANCE_LOG",
            "the proposal's log does not carry what you have pinned of the former one: sign nothing",
            field="log.old_pins",
        )
    return proposed


def _role(who: str, default: str) -> str:
    """Return the role named by `--as`, for commands that every person may call."""
    return who.rpartition("/")[0] or default
