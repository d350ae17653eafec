"""`garim trust`: whose certificates sign documents, for what; changes go through governance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from garim.api.custody.v1 import custody_pb2
from garim.cli.document_files import crls_in, read_chain
from garim.cli.files import read_input, write_private
from garim.cli.governance_draft import drafted
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption
from garim.cli.output import emit, facts, plain, rows_table
from garim.cli.policy_times import AtOption, instant_of
from garim.cli.session import session
from garim.cli.trust_anchors import make_anchor
from garim.cli.trust_dev import write_development
from garim.cli.trust_fetch import fetch, keep_newer
from garim.cli.trust_words import ROLES, anchor_rows, anchor_value, warnings_on
from garim.documents.crls import check_revocation
from garim.documents.fields import write_instant
from garim.documents.paths import verify_path
from garim.documents.x509 import Path as TrustedPath
from garim.documents.x509 import Role, TrustPolicy, certificate_sha256, load_anchors, load_pem
from garim.kit.clock import SystemClock
from garim.statements import governance
from garim.statements.governance import DocumentAnchor, Governance
from garim.statements.refusal import Kind, RefusedError, reasons_of
from garim.testing.pki import AUTHORITY, COURT

app = typer.Typer(no_args_is_help=True, help="Whose certificates sign documents, and for what.")

GovernanceOption = Annotated[
    Path | None,
    typer.Option("--governance", help="A governance version's file; without it the mesh is asked."),
]
CrlsOption = Annotated[Path | None, typer.Option("--crls", help="Folder of revocation lists at hand.")]
NextOption = Annotated[Path, typer.Option("--out", help="The next governance version; propose it.")]


def _in_force(mesh: Path, who: str, file: Path | None) -> tuple[Governance, bytes]:
    """Return the version to look at, with its exact bytes."""
    if file is not None:
        data = read_input(file, "governance document")
        return Governance.from_bytes(data), data
    with session(mesh, who, "custodian") as own:
        current = own.governance()
        answer = own.custody.GetGovernance(custody_pb2.GetGovernanceRequest(from_version=current.version))
        return current, answer.versions[0].document


def _lists(folder: Path | None) -> list[bytes]:
    return [] if folder is None else crls_in(folder)


def _told(anchors: Sequence[DocumentAnchor], within: Governance, crls: list[bytes]) -> list[dict[str, Any]]:
    now_ms = SystemClock().now_ms()
    trust = TrustPolicy.of(within)
    return [
        {
            **anchor_value(one, trust, crls, now_ms),
            "warnings": [
                {"code": found.code, "words": found.words} for found in warnings_on(one, within, crls, now_ms)
            ],
        }
        for one in anchors
    ]


def _show(console: Console, values: list[dict[str, Any]]) -> None:
    for value in values:
        console.print(facts(anchor_rows(value)))
        for one in value["warnings"]:
            console.print(Text(f"주의 {one['words']}", style="yellow"))
        console.print()


@app.command("list")
def list_trusted(
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    governance_file: GovernanceOption = None,
    crls: CrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whom governance trusts for which signature, until when, and how long revocation lists count."""
    current, _ = _in_force(mesh, who, governance_file)
    told = _told(current.anchors, current, _lists(crls))
    value = {"version": current.version, "environment": current.environment, "anchors": told}
    emit(as_json, value, lambda console: _show(console, told))


@app.command()
def add(
    certificate: Annotated[Path, typer.Argument(metavar="CA.pem", help="The authority's certificate.")],
    role: Annotated[Role, typer.Option("--role", help="For which signature.")],
    out: NextOption,
    authorities: Annotated[
        list[str] | None, typer.Option("--authority", help="Court or agency it vouches for; repeat.")
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", help="Certificate policy that binds the role, dotted; Garim's without.")
    ] = "",
    title: Annotated[str, typer.Option("--title", help="What the signer's title must be.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="What the signer's organizational unit must be.")] = "",
    crl_issuers: Annotated[
        list[Path] | None,
        typer.Option("--crl-issuer", help="Certificate whose key may sign its revocation lists; repeat."),
    ] = None,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    governance_file: GovernanceOption = None,
    crls: CrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the governance version that trusts one more authority, and say what it would be trusted for."""
    current, data = _in_force(mesh, who, governance_file)
    if role is Role.CHIEF_INVESTIGATOR and not authorities:
        raise RefusedError("FIELD_VALUE", "name the agencies it vouches for: --authority", field="authority")
    made = make_anchor(
        role, certificate, authorities or (), crl_issuers or (), policy=policy, title=title, unit=unit
    )
    _draft(current, data, (*current.anchors, made), made, out, _lists(crls), as_json=as_json)


@app.command()
def remove(
    sha256: Annotated[str, typer.Argument(help="Fingerprint of its certificate: see `garim trust list`.")],
    out: NextOption,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    governance_file: GovernanceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the governance version that trusts an authority no more; its documents are refused then."""
    current, data = _in_force(mesh, who, governance_file)
    gone = [one for one in current.anchors if certificate_sha256(load_pem(one.certificate)) == sha256]
    if len(gone) != 1:
        raise RefusedError(
            "ANCHOR_UNKNOWN",
            "no authority of that fingerprint is trusted",
            kind=Kind.NOT_FOUND,
            field="sha256",
        )
    kept = tuple(one for one in current.anchors if one is not gone[0])
    _draft(current, data, kept, gone[0], out, [], as_json=as_json)


def _draft(
    current: Governance,
    data: bytes,
    anchors: tuple[DocumentAnchor, ...],
    changed: DocumentAnchor,
    out: Path,
    crls: list[bytes],
    *,
    as_json: bool,
) -> None:
    load_anchors(TrustPolicy(anchors, current.terms.max_crl_age))
    written = drafted(current, data, SystemClock().now_ms(), anchors=anchors)
    following = governance.follow(current, data, written)
    write_private(out, written)
    added = changed in anchors
    (told,) = _told([changed], following if added else current, crls)
    left = sorted({ROLES[one.role] for one in anchors})
    value = {
        "version": following.version,
        "digest": governance.digest(written),
        "file": str(out),
        "added" if added else "removed": told,
    }

    def render(console: Console) -> None:
        console.print(
            "더 신뢰합니다 will be trusted:" if added else "더는 신뢰하지 않습니다 will be trusted no more:"
        )
        console.print(facts(anchor_rows(told)))
        for one in told["warnings"] if added else ():
            console.print(Text(f"주의 {one['words']}", style="yellow"))
        if len(left) < len(ROLES):
            console.print(
                Text("주의 한 역할의 인증기관이 없습니다. No anchor is left for one role.", style="yellow")
            )
        console.print(facts([("version", following.version), ("digest", value["digest"]), ("file", out)]))
        console.print(f"next: garim governance propose {out}")

    emit(as_json, value, render)


@app.command()
def check(
    chain_file: Annotated[
        Path, typer.Argument(metavar="CHAIN.pem", help="A signer's certificate, then its intermediates.")
    ],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    governance_file: GovernanceOption = None,
    crls: CrlsOption = None,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say whether a chain would be accepted, in which role, and every reason why not; status 1 where not."""
    current, _ = _in_force(mesh, who, governance_file)
    trust, now_ms = TrustPolicy.of(current), instant_of(at)
    chain = tuple(read_chain(chain_file))
    found: TrustedPath | None = None
    reasons: list[RefusedError] = []
    try:
        found = verify_path(chain, trust, now_ms, field="chain")
        check_revocation(found, _lists(crls), trust, now_ms, field="chain")
    except RefusedError as refusal:
        reasons = reasons_of(refusal)
    signer = None if found is None else found.signer
    value = {
        "accepted": not reasons,
        "role": None if signer is None else signer.role.value,
        "organisation": None if signer is None else signer.organisation,
        "anchor": None if found is None else certificate_sha256(load_pem(found.anchor.certificate)),
        "reasons": [{"code": one.reason, "field": one.field, "message": one.message} for one in reasons],
    }

    def render(console: Console) -> None:
        rows = [("받아들임 accepted", value["accepted"])]
        if signer is not None:
            rows += [("역할 role", ROLES[signer.role.value]), ("기관 organisation", signer.organisation)]
        console.print(facts(rows))
        for one in reasons:
            console.print(f"  {one.reason} ({one.field}): {one.message}")

    emit(as_json, value, render)
    if reasons:
        raise typer.Exit(1)


@app.command()
def refresh(
    into: Annotated[Path, typer.Option("--into", help="Folder from which services take their lists.")],
    sources: Annotated[
        list[str], typer.Option("--source", help="File or http(s) URL of a revocation list; repeat.")
    ],
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    governance_file: GovernanceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch revocation lists, keep those that count now and are newer; run it from a timer."""
    current, _ = _in_force(mesh, who, governance_file)
    trust, now_ms = TrustPolicy.of(current), SystemClock().now_ms()
    told: list[dict[str, Any]] = []
    for source in sources:
        try:
            crl, newer = keep_newer(fetch(source), into, trust, now_ms)
        except RefusedError as refusal:
            told.append(
                {"source": source, "state": "refused", "reason": refusal.reason, "counts_until": None}
            )
        else:
            state = "kept" if newer else "not newer"
            until = write_instant(crl.counts_until_ms)
            told.append({"source": source, "state": state, "reason": None, "counts_until": until})
    columns = ("source", "state", "reason", "counts until")
    rows = [[plain(one) for one in line.values()] for line in told]
    emit(as_json, {"lists": told}, lambda console: console.print(rows_table(columns, rows)))
    if any(one["state"] == "refused" for one in told):
        raise typer.Exit(1)


@app.command()
def dev(
    folder: Annotated[Path, typer.Argument(help="New folder for certificates, keys and lists.")],
    court: Annotated[str, typer.Option("--court", help="Name of the court; begins with TEST.")] = COURT,
    agency: Annotated[
        str, typer.Option("--agency", help="Name of the agency; begins with TEST.")
    ] = AUTHORITY,
    as_json: JsonOption = False,
) -> None:
    """Make a development PKI, marked so that no mesh in production believes it."""
    write_development(folder, dt.datetime.now(dt.UTC), court, agency)
    value = {"folder": str(folder), "court": court, "agency": agency}
    emit(
        as_json,
        value,
        lambda console: console.print(
            facts(
                [
                    *value.items(),
                    ("next", f"garim trust add {folder}/agency-ca.pem --role chief-investigator …"),
                ]
            )
        ),
    )
