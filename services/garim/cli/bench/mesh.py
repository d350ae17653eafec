"""A throwaway mesh for benches: five real processes that end with this one, and whoever calls them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Self

from garim.cli.bench.postgres import Databases
from garim.cli.cases import submit
from garim.cli.document_files import acknowledger_of, read_chain, read_private_key, recipient_of, sign_file
from garim.cli.draft_commands import common
from garim.cli.mesh_plan import AUDIENCE, BACKEND, REVIEW_QUORUM, REVIEWERS, Places
from garim.cli.mesh_processes import Processes
from garim.cli.mesh_setup import set_up
from garim.cli.meshfolder import SERVICES
from garim.cli.review_commands import review
from garim.cli.session import session
from garim.documents import draft
from garim.documents.fields import write_instant
from garim.kit.channel import Peers
from garim.kit.clock import SystemClock
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from garim.sdk import GarimStore, TlsPaths
from garim.statements.refusal import Kind, RefusedError

_NUMBERS = count(1)


class BenchMesh:
    """A mesh of five processes; use it as a context manager.

    Args:
        root: A new folder.
        databases: Where the services' tables lie.
        write_secret_s: How long a write secret lives, in seconds.
        names: Whose names the policy has masked.

    Attributes:
        root: Its folder.
        places: What lies where in it.
        file: Its addresses.
        processes: Its processes.
    """

    def __init__(
        self, root: Path, databases: Databases, *, write_secret_s: int, names: str = "all-persons"
    ) -> None:
        self.root = root
        self.places = Places(root)
        self.file = set_up(root, dt.datetime.now(dt.UTC), database=databases.of_services(), names=names)
        self.processes = Processes(self.places)
        settings = self.places.settings("messages")
        settings.write_text(f"write_secret_s = {write_secret_s}\n{settings.read_text()}")

    def __enter__(self) -> Self:
        try:
            for service in SERVICES:
                self.processes.start(service, tied=True)
            self.processes.await_ready(self.file, lambda _service: None)
        except BaseException:
            self.processes.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.stop()

    def store(self) -> GarimStore:
        """Return a connection to the store as the chat back end."""
        own = self.places.people / f"backend-{BACKEND}"
        tls = TlsPaths(own / "tls.pem", own / "tls.key", own / "ca.pem")
        return GarimStore(self.file.addresses["messages"], mesh=self.file.mesh, tls=tls)

    @contextmanager
    def peers_of(self, service: str) -> Iterator[Peers]:
        """Open channels to every service under a service's own identity.

        Args:
            service: Whose certificate and key.
        """
        folder = self.places.service(service)
        clock = SystemClock()
        with (self.root / f"{service}-bench.log").open("w") as log:
            telemetry = Telemetry("bench", clock, stream=log)
            files = TlsFiles(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")
            rotation = Rotation(files, self.file.mesh, clock, telemetry)
            with closing(Peers(rotation, self.file.addresses, clock=clock, telemetry=telemetry)) as peers:
                yield peers

    def granted(self, subjects: Sequence[tuple[str, str]], period: tuple[int, int]) -> bytes:
        """File a signed warrant, let the reviewers approve it where they must, return its case.

        Args:
            subjects: Kind and value of each subject's identifier.
            period: First millisecond since 1970, and the first behind it.

        Raises:
            RefusedError: `BENCH_FAILED`: it was not granted, and whatever a step refuses.
        """
        agency = self.places.agency
        court, authority = (agency / "names.txt").read_text(encoding="utf-8").splitlines()[:2]
        number = f"TEST-bench-{next(_NUMBERS)}"
        document = draft.draft_disclosure(
            common(AUDIENCE, authority, court, number, f"case {number}"),
            offence="espionage",
            warrant_type="search-and-seizure-stored",
            subjects=list(subjects),
            period=(write_instant(period[0]), write_instant(period[1])),
            recipient=recipient_of(str(agency / "recipient.txt")),
            acknowledger=acknowledger_of(agency / "clerk.pem"),
        )
        for name in ("judge", "chief"):
            key = read_private_key(agency / f"{name}.key", None)
            document = sign_file(document, key, read_chain(agency / f"{name}.pem"))
        with session(self.root, "", "clerk") as clerk:
            filed = submit(clerk, document, [])
        if filed.state == "in-review":
            for name in REVIEWERS[:REVIEW_QUORUM]:
                with session(self.root, name, "reviewer") as reviewer:
                    review(reviewer, filed.case, self.places.crls, "review-approve", "TEST bench", None)
        elif filed.state != "granted":
            reasons = ", ".join(one.reason for one in filed.reasons)
            raise RefusedError("BENCH_FAILED", f"{filed.state}: {reasons}", kind=Kind.PRECONDITION)
        return filed.case

    def peak_memory(self, service: str) -> int:
        """Return the most memory that a service's process has held so far, in bytes (proc(5), VmHWM)."""
        running = self.processes.running(service)
        if running is None:
            raise RefusedError("BENCH_FAILED", f"{service} has ended", kind=Kind.UNAVAILABLE)
        lines = Path(f"/proc/{running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
