"""First figures of the whole chain: `make bench`.

Five real processes on this machine, mutual TLS, fsync on. Each figure stands beside a peer or limit measured
in the same run, and is printed as a ratio to it; everything is written to `.garim/bench/chain.json`.

append    100,000 messages over 50 conversations in batches of 1,000, through mutual TLS, encrypted and
          durable, beside the same messages as plaintext rows in SQLite (WAL, FULL), 1,000 a transaction
dossier   the same messages read, decrypted, masked, scanned, sealed, packed and encrypted, beside the plain
          lines merely written as JSON, zipped and encrypted with age
collect   opening one identity by the quorum, beside one custodian's approval, which verifies the documents
          and every proof, re-seals the shares and waits for the log
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import platform
import secrets
import shutil
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import pyrage
from rich.console import Console
from rich.table import Table

from garim.api.messages.v1 import messages_pb2 as pb
from garim.cli import unmask_flow
from garim.cli.document_files import acknowledger_of, recipient_of
from garim.cli.mesh_plan import AUDIENCE
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask
from garim.documents.fields import write_instant
from garim.importers import Message, open_chat
from garim.sdk import GarimStore, Member, Roster, TlsPaths
from mesh_support.live import LiveMesh

BATCH = 1_000
SUBJECT = "bench:subject"
MEMBERS = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: How much.
        unit: Of value and peer.
        peer: What it is compared with.
        peer_value: How much that was in the same run.
        ratio: Value to peer; above 1 is better than the peer.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    ratio: float


def texts() -> Iterator[str]:
    """Yield the sample room's texts, over and over."""
    room = resources.files("garim.testing") / "sample" / "room.txt"
    with resources.as_file(room) as path:
        own = [one.text for one in open_chat(path) if isinstance(one, Message)]
    while True:
        yield from own


def requests(
    messages: int, conversations: int, start_ms: int
) -> tuple[list[Roster], list[pb.AppendMessagesRequest]]:
    """Return rosters and batches; the subject is in every conversation."""
    rosters = [
        Roster(
            f"bench:room-{room}",
            [Member(SUBJECT, ["대상"])]
            + [Member(f"bench:{room}-{one}", [f"벤치{room}번{one}"]) for one in range(MEMBERS - 1)],
        )
        for room in range(conversations)
    ]
    source = texts()
    batches, sent = [], 0
    while sent < messages:
        parts = []
        for room, roster in enumerate(rosters):
            own = [
                pb.ChatMessage(
                    sent_at_ms=start_ms + sent + place,
                    sender=roster.members[(sent + place) % MEMBERS].account,
                    kind=pb.MESSAGE_KIND_TEXT,
                    text=next(source),
                )
                for place in range(BATCH // conversations)
            ]
            sent += len(own)
            parts.append(
                pb.ConversationBatch(
                    conversation_id=f"bench:room-{room}",
                    roster_digest=roster.digest,
                    kind=pb.SEGMENT_KIND_MESSAGES,
                    messages=own,
                )
            )
        batches.append(pb.AppendMessagesRequest(batch_id=secrets.token_bytes(16), conversations=parts))
    return rosters, batches


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def plaintext_rows(batches: list[pb.AppendMessagesRequest], folder: Path) -> float:
    """Return the seconds that the same messages take as plaintext rows in SQLite, a transaction a batch."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE messages (room TEXT, sender TEXT, sent INTEGER, kind INTEGER, text TEXT)"
    )
    rows = [
        [
            (part.conversation_id, one.sender, one.sent_at_ms, one.kind, one.text)
            for part in batch.conversations
            for one in part.messages
        ]
        for batch in batches
    ]

    def work() -> None:
        for own in rows:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", own)
            connection.execute("COMMIT")

    seconds = timed(work)
    connection.close()
    return seconds


def plain_package(batches: list[pb.AppendMessagesRequest]) -> float:
    """Return the seconds that JSON lines, zip and age take for the same messages, unmasked."""
    recipient = pyrage.x25519.Identity.generate().to_public()

    def work() -> None:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("lines", "w") as out:
            for batch in batches:
                for part in batch.conversations:
                    for one in part.messages:
                        row = {"at": one.sent_at_ms, "sender": one.sender, "text": one.text}
                        out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        pyrage.encrypt(target.getvalue(), [recipient])

    return timed(work)


def bench_append(mesh: LiveMesh, rosters: list[Roster], batches: list[pb.AppendMessagesRequest]) -> float:
    """Return the seconds that one caller needs to have all batches durable."""
    own = mesh.folder_of("backend/chat")
    tls = TlsPaths(own / "tls.pem", own / "tls.key", own / "ca.pem")
    with GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls) as store:
        store.put_rosters(rosters)

        def work() -> None:
            for batch in batches:
                if store.append(batch).WhichOneof("result") != "accepted":
                    raise RuntimeError("the store did not take a batch")

        return timed(work)


def bench_collect(mesh: LiveMesh, period: tuple[str, str], folder: Path) -> tuple[float, float]:
    """Return the seconds of collecting one identity, and of one custodian's approval before it."""
    case = mesh.granted(mesh.document([("account", "bench:0-0")], period))
    mesh.build(case)
    receipt, dossier = mesh.fetch(case, folder)
    line = next(one for one in dossier.messages() if one.sender.pseudonym)
    payload, sealed = draft_unmask(
        dossier,
        receipt,
        {str(line.sender.pseudonym): [line.number]},
        {
            "audience": AUDIENCE,
            "authority": receipt.authority,
            "court": (mesh.places.agency / "names.txt").read_text(encoding="utf-8").splitlines()[0],
            "number": "TEST-bench-second",
            "case_number": receipt.case_number,
            "issued_at": write_instant(time.time_ns() // 1_000_000),
        },
        recipient=recipient_of(str(mesh.places.agency / "recipient.txt")),
        acknowledger=acknowledger_of(mesh.places.agency / "clerk.pem"),
    )
    request = mesh.submit(mesh.sign(payload), [one for _, one in sealed]).unmask_request
    custodians = [one.rpartition("/")[2] for one in mesh.identities() if "/custodian/" in one]
    approvals = []
    for name in custodians[:2]:
        with session(mesh.root, name, "custodian") as custodian:
            approvals.append(
                timed(lambda own=custodian: unmask_flow.approve(own, request, mesh.places.crls, "TEST", None))
            )
    with session(mesh.root, "", "clerk") as clerk:
        return timed(lambda: unmask_flow.collect(clerk, request)), min(approvals)


def run(messages: int, conversations: int, root: Path) -> list[Figure]:
    """Measure everything on a mesh in a new folder."""
    start_ms = time.time_ns() // 1_000_000 - 3_600_000
    start_ms -= start_ms % 3_600_000
    period = (write_instant(start_ms), write_instant(start_ms + messages + 1))
    rosters, batches = requests(messages, conversations, start_ms)
    total = sum(len(part.messages) for batch in batches for part in batch.conversations)
    with LiveMesh(root / "mesh", write_secret_s=58) as mesh:
        append_s = bench_append(mesh, rosters, batches)
        rows_s = plaintext_rows(batches, root)
        case = mesh.granted(mesh.document([("account", SUBJECT)], period))
        dossier_s = timed(lambda: mesh.build(case))
        package_s = plain_package(batches)
        collect_s, approve_s = bench_collect(mesh, period, root / "collect")
    return [
        Figure(
            f"append, batches of {BATCH:,} over {conversations}, mutual TLS, durable",
            total / append_s,
            "messages/s",
            "plaintext rows in SQLite, executemany, WAL, FULL",
            total / rows_s,
            rows_s / append_s,
        ),
        Figure(
            f"dossier of {total:,} messages, whole attempt",
            total / dossier_s,
            "messages/s",
            "plain JSON lines, zip, age",
            total / package_s,
            package_s / dossier_s,
        ),
        Figure(
            "collect one identity (log, open by quorum, sign, encrypt)",
            1 / collect_s,
            "calls/s",
            "one custodian's approval, client and custody together",
            1 / approve_s,
            approve_s / collect_s,
        ),
    ]


def main() -> None:
    """Measure, print one table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path(".garim/bench"))
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True, mode=0o700)
    figures = run(options.messages, options.conversations, options.out)
    table = Table("figure", "measured", "peer in the same run", "peer measured", "ratio")
    for one in figures:
        table.add_row(
            one.name,
            f"{one.value:,.1f} {one.unit}",
            one.peer,
            f"{one.peer_value:,.1f} {one.unit}",
            f"{one.ratio:.2f}x",
        )
    Console().print(table)
    written = {
        "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "figures": [asdict(one) for one in figures],
    }
    (options.out / "chain.json").write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
