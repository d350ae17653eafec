"""Disclosures and second requests by people who try again whatever fails, until their patience ends."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from faults_support.ingest import Block
from faults_support.mesh import FaultMesh
from garim.cli import unmask_flow
from garim.cli.document_files import acknowledger_of, recipient_of
from garim.cli.draft_commands import common
from garim.cli.mesh_plan import AUDIENCE, CUSTODIANS, QUORUM
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask, grounds_for
from garim.documents.fields import write_instant
from garim.dossier.opening import OpenedDossier
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError

PATIENCE_S = 240.0
# A document's time of issue has whole seconds; nothing may be received after it.
_ISSUE_S = 1.1
_PAUSE_S = 0.5
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class Disclosed:
    """A delivered dossier.

    Attributes:
        receipt: Its receipt.
        opened: The package, opened.
        lost: Acknowledged messages that are not in it.
        doubled: Messages that are in it more than once.
        foreign: Messages in it that are none of its block's.
        seconds: From the signed document to the opened package.
    """

    receipt: DossierReceipt
    opened: OpenedDossier
    lost: int
    doubled: int
    foreign: int
    seconds: float


def _insist(step: Callable[[], AnswerT]) -> AnswerT:
    """Repeat a step as somebody would who is told that a service is away, or that its disk is full."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return step()
        except RefusedError as error:
            if error.kind not in {Kind.UNAVAILABLE, Kind.EXHAUSTED} or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_S)


def disclose(mesh: FaultMesh, block: Block, folder: Path) -> Disclosed:
    """Take a disclosure of a block from the signed document to the opened package."""
    time.sleep(_ISSUE_S)
    begun = time.monotonic()
    period = (write_instant(block.sent[0]), write_instant(block.sent[-1] + 1))
    document = mesh.document([("account", block.subject)], period)
    case = _insist(lambda: mesh.granted(document))
    _insist(lambda: mesh.build(case))
    attempts = itertools.count(1)
    receipt, opened = _insist(lambda: mesh.fetch(case, folder / f"{block.number}-{next(attempts)}"))
    seconds = time.monotonic() - begun
    found = Counter(line.at for line in opened.messages())
    wanted = set(block.sent)
    return Disclosed(
        receipt,
        opened,
        lost=len(wanted - found.keys()),
        doubled=sum(count - 1 for count in found.values()),
        foreign=len(found.keys() - wanted),
        seconds=seconds,
    )


def unmask(mesh: FaultMesh, disclosed: Disclosed) -> float:
    """Take a second request from the signed document to the collected answer; return the seconds it took."""
    person = next(
        one for line in disclosed.opened.messages() for one in line.pseudonyms() if one.startswith("P-")
    )
    agency, receipt = mesh.places.agency, disclosed.receipt
    court = (agency / "names.txt").read_text(encoding="utf-8").splitlines()[0]
    number = f"TEST-2026-보충-{secrets.token_hex(6)}"
    payload, sealed = draft_unmask(
        disclosed.opened,
        receipt,
        {person: grounds_for(disclosed.opened, person)},
        common(AUDIENCE, receipt.authority, court, number, receipt.case_number),
        recipient=recipient_of(str(agency / "recipient.txt")),
        acknowledger=acknowledger_of(agency / "clerk.pem"),
    )
    content, attachments = mesh.sign(payload), [data for _, data in sealed]
    begun = time.monotonic()
    done = _insist(lambda: mesh.submit(content, attachments))
    assert done.unmask_request, done
    for name in CUSTODIANS[:QUORUM]:
        _insist(lambda name=name: _approve(mesh, done.unmask_request, name))  # type: ignore[misc]
    answer = _insist(lambda: _collect(mesh, done.unmask_request))
    assert _insist(lambda: _collect(mesh, done.unmask_request)) == answer
    return time.monotonic() - begun


def _approve(mesh: FaultMesh, request: bytes, name: str) -> None:
    try:
        with session(mesh.root, name, "custodian") as own:
            unmask_flow.approve(own, request, mesh.places.crls, "TEST", None)
    except RefusedError as error:
        # An approval that was kept before its answer was lost.
        if error.reason != "DECISION_REPEATED":
            raise


def _collect(mesh: FaultMesh, request: bytes) -> bytes:
    with session(mesh.root, "", "clerk") as own:
        return unmask_flow.collect(own, request)
