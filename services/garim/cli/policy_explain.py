"""`garim policy explain`: offline, whether a document's signatures hold, and why it would pass or fail."""

from __future__ import annotations

from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from rich.console import Console
from rich.text import Text

from garim.cli.document_files import crls_in
from garim.cli.files import read_input
from garim.cli.options import JsonOption
from garim.cli.output import emit, facts, print_refusal
from garim.cli.policy_times import AtOption, instant_of
from garim.cli.policy_words import masking_words
from garim.documents.explaining import Explained, Measure, explain
from garim.documents.foreign import foreign_signatures
from garim.documents.media_types import JWS_MEDIA_TYPE, media_type_of
from garim.documents.policy import Policy, load_policy
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import Kind, RefusedError

REFUSED, BAD_INPUT = 1, 2
_FAULTS_OF_OURS = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED})


def explain_command(
    document: Annotated[Path, typer.Argument(metavar="DOCUMENT", help="JWS, PDF or ETSI XML.")],
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="PEM", help="Trusted certificates; without, trust is not checked."),
    ] = None,
    at: AtOption = "",
    policy_file: Annotated[
        Path | None, typer.Option("--policy", help="The policy file; the one that comes with Garim without.")
    ] = None,
    crls: Annotated[
        Path | None, typer.Option("--crls", help="Folder of revocation lists; without, not checked.")
    ] = None,
    audience: Annotated[str, typer.Option("--audience", help="The operator; without, not compared.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell offline whether the signatures hold, and why the document would pass or fail.

    Status 0: it would be accepted; 1: it would not; 2: the question itself cannot be read.
    """
    try:
        data = read_input(document, "document")
        media_type = _format_of(data)
        measure = Measure(
            policy=_policy(policy_file),
            at_ms=instant_of(at),
            trusted=tuple(one for path in trust or () for one in _certificates(path)),
            crls=None if crls is None else tuple(crls_in(crls)),
            audience=audience or None,
        )
        with closing(DocumentOpener()) as opener:
            found = explain(media_type, data, opener.open, measure, foreign_signatures)
        _demand_judged(found)
    except RefusedError as refusal:
        print_refusal(refusal, as_json=as_json)
        raise typer.Exit(BAD_INPUT) from None
    version = measure.policy.at(measure.at_ms)
    masked = masking_words(version.masking) if version is not None else ()

    def render(console: Console) -> None:
        _render(console, media_type, found, masked)

    emit(as_json, explained_value(media_type, found), render)
    if not found.accepted:
        raise typer.Exit(REFUSED)


def explained_value(media_type: str, found: Explained) -> dict[str, Any]:
    """Return what was found as JSON."""
    signers = found.signatures.signers
    return {
        "format": media_type,
        "signature": {
            "valid": found.signatures.valid,
            "signer": signers[0] if len(signers) == 1 else list(signers) or None,
            "reasons": [one.reason for one in found.signatures.reasons],
        },
        "accepted": found.accepted,
        "reasons": [
            {"code": one.reason, "field": one.field, "basis": list(basis)} for one, basis in found.reasons
        ],
    }


def _format_of(data: bytes) -> str:
    media_type = media_type_of(data)
    if media_type == JWS_MEDIA_TYPE and not data.lstrip().startswith(b"{"):
        raise RefusedError("FORMAT_UNKNOWN", "this is neither JWS nor PDF nor XML", field="document")
    return media_type


def _policy(path: Path | None) -> Policy:
    if path is not None:
        return load_policy(read_input(path, "policy"))
    return load_policy(resources.files("garim.documents").joinpath("kr.yaml").read_bytes())


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(read_input(path, "trusted certificate"))
    except ValueError:
        raise RefusedError(
            "CERTIFICATE_INVALID", f"{path} holds no certificate in PEM", field="trust"
        ) from None


def _demand_judged(found: Explained) -> None:
    """Refuse to answer where the document was not judged at all, for a reason that lies with us."""
    for one, _ in found.reasons:
        if one.kind in _FAULTS_OF_OURS:
            raise one


def _render(console: Console, media_type: str, found: Explained, masked: tuple[tuple[str, str], ...]) -> None:
    signatures = found.signatures
    console.print(
        facts(
            [
                ("형식 format", media_type),
                ("서명 signature", "유효 valid" if signatures.valid else "무효 not valid"),
                ("서명자 signer", "; ".join(signatures.signers) or None),
                ("판단 answer", "수리 accepted" if found.accepted else "거절 not accepted"),
                *(masked if found.accepted else ()),
            ]
        )
    )
    for one in signatures.reasons:
        if one.reason not in {reason.reason for reason, _ in found.reasons}:
            console.print(Text(f"{one.reason}: {one.message}", style="yellow"))
    for one, basis in found.reasons:
        where = f" ({one.field})" if one.field else ""
        console.print(Text.assemble((one.reason, "bold red"), where))
        console.print(Text(f"  {one.message}"))
        console.print(Text(f"  근거 legal basis: {'; '.join(basis) or '-'}", style="dim"))
