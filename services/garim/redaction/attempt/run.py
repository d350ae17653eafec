"""The steps of one attempt, in order."""

from __future__ import annotations

import base64
import itertools
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2, messages_pb2_grpc
from garim.dossier.lines import MessageLine
from garim.dossier.transcript import About
from garim.kit.convert import envelope_to
from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.leakscan import LeakScan
from garim.masking.open_names.korean_names import KoreanNames
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.redaction.attempt.accounts import EpochAccounts
from garim.redaction.attempt.custody_keys import KeyRequester
from garim.redaction.attempt.job import Account, Event, Figures, Held, Hold, Job, Packed, Progress
from garim.redaction.attempt.lines import LineMaker, Origin
from garim.redaction.attempt.packing import sealed_identities, write_encrypted
from garim.redaction.attempt.people import people_of
from garim.redaction.attempt.preserving import PreservingReader
from garim.redaction.attempt.reading import ScopeReader
from garim.redaction.attempt.spool import LineSpool
from garim.sealing import identity, segment
from garim.sealing.secret import Secret
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import ScopeTicket

SCAN_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Stubs:
    """Whom an attempt calls.

    Args:
        store: The message store.
        custody: Custody.
    """

    store: messages_pb2_grpc.MessageStoreServiceStub
    custody: custody_pb2_grpc.CustodyServiceStub


def reader_of(job: Job, stubs: Stubs, requester: KeyRequester, emit: Callable[[Event], None]) -> ScopeReader:
    """Return the reader of a job's scope."""
    governance = Governance.from_bytes(base64.b64decode(job.governance))
    envelope = dsse.from_bytes(base64.b64decode(job.ticket))
    ticket = ScopeTicket.verify(envelope, governance.keys_of("custody"), mesh=governance.mesh, now=None)

    def on_account(account: messages_pb2.EpochAccount) -> None:
        closed: statement_pb2.LoggedStatement = account.closed
        emit(
            Account(
                body=base64.b64encode(closed.statement.payload).decode(),
                proof=base64.b64encode(closed.proof.SerializeToString()).decode(),
            )
        )

    return ScopeReader(
        store=stubs.store,
        ticket=messages_pb2.ReadSegmentsRequest(ticket=envelope_to(envelope)),
        requester=requester,
        accounts=EpochAccounts(
            governance, ticket.period.start, ticket.period.end, ticket.received_until, ticket.issued
        ),
        on_account=on_account,
    )


class DossierAttempt:
    """Makes one package.

    Args:
        job: What to make.
        stubs: Whom to call.
        mesh: Name of the mesh.
        emit: Takes events.
    """

    def __init__(self, job: Job, stubs: Stubs, mesh: str, emit: Callable[[Event], None]) -> None:
        self._job = job
        self._mesh = mesh
        self._emit = emit
        self._dossier = bytes.fromhex(job.dossier)
        self._requester = KeyRequester(stubs.custody, mesh, self._dossier)
        self._reader = reader_of(job, stubs, self._requester, emit)
        self._table = PseudonymTable(secrets.token_bytes)
        self._lifted = frozenset(job.lifted)
        self._messages = 0
        self._opaque = 0

    def run(self) -> Packed | Held:
        """Run all steps; returns how it ended.

        Raises:
            RosterAppearedError: The attempt must start again.
            RefusedError: `LEAK_FOUND`, `STORE_INCONSISTENT`, custody's and the store's reasons.
        """
        try:
            for done in self._reader.read_rosters():
                self._emit(Progress(stage="rosters", done=done))
            people = people_of(
                (member for roster in self._reader.rosters.values() for member in roster.members),
                self._job.subjects,
            )
            with LineSpool(Path(self._job.package).parent, self._mesh, secrets.token_bytes(16)) as spool:
                self._mask_into(spool, people)
                if holds := self._scan(spool, people):
                    return Held(holds=tuple(holds))
                return self._pack(spool.lines, people)
        finally:
            self._table.wipe()
            self._requester.close()

    def _mask_into(self, spool: LineSpool, people: dict[str, Person]) -> None:
        # Kiwi's model costs a second and 500 MB: it is not loaded where policy leaves open names alone.
        open_names = self._job.masking.names == "all-persons"
        maker = LineMaker(
            engine=Engine(list(people.values()), open_names=KoreanNames() if open_names else None),
            people=people,
            table=self._table,
            numbers=_numbers({roster.conversation for roster in self._reader.rosters.values()}),
            period_start=self._job.period.start,
            period_end=self._job.period.end,
            mesh=self._mesh,
            times=self._job.masking.times,
        )
        for batch in self._reader.read_segments():
            self._opaque += sum(one.header.count for one in batch if one.header.kind == segment.KIND_OPAQUE)
            lines = maker.lines(batch)
            for conversation in dict.fromkeys(one.conversation for one in lines):
                own = [one for one in lines if one.conversation == conversation]
                spool.append(conversation, [(one.line.to_bytes(), one.origin.encode()) for one in own])
            self._messages += len(lines)
            self._emit(Progress(stage="masking", done=self._messages))

    def _scan(self, spool: LineSpool, people: dict[str, Person]) -> list[Hold]:
        """Scan what is about to leave; a certain leak ends the attempt.

        Raises:
            RefusedError: `LEAK_FOUND`.
        """
        scan = LeakScan(
            [one for one in people.values() if not one.subject],
            [name for one in people.values() if one.subject for name in one.names],
            self._table.items(),
        )
        holds: list[Hold] = []
        entries = spool.entries()
        done = 0
        while batch := list(itertools.islice(entries, SCAN_BATCH)):
            lines = [MessageLine.from_bytes(line) for line, _ in batch]
            for leak in scan.scan([one.text for one in lines]):
                place = Origin.decode(batch[leak.index][1]).place(lines[leak.index], leak.start, leak.end)
                # A lift covers what was ambiguous when people judged it; what is certain now blocks.
                if leak.certain:
                    raise RefusedError(
                        "LEAK_FOUND",
                        "the final scan found a bystander's identifier that masking had left; nothing left",
                        kind=Kind.DATA_LOSS,
                    )
                if place not in self._lifted:
                    holds.append(Hold(place=place, reason=f"ambiguous-{leak.type.value.lower()}"))
            done += len(batch)
            self._emit(Progress(stage="scanning", done=done))
        return holds

    def _pack(self, lines: Callable[[], Iterable[bytes]], people: dict[str, Person]) -> Packed:
        job = self._job
        self._emit(Progress(stage="packing", done=self._messages))
        people_seen = self._people_seen(people)
        sealed_secret = b""
        identities: Iterable[tuple[str, str, bytes]] = ()
        with Secret.random() as secret:
            if job.mode == "sealed":
                sealed_secret = identity.seal_secret(
                    secret,
                    base64.b64decode(job.public_key),
                    self._mesh,
                    self._dossier,
                    bytes.fromhex(job.grant),
                )
                identities = sealed_identities(self._table, people, secret, self._mesh, self._dossier)
            roots, digest, size = write_encrypted(
                Path(job.package),
                job.recipient,
                about=About(
                    dossier=job.dossier,
                    authority=job.authority,
                    case_number=job.case_number,
                    number=job.number,
                    period_start=job.period.start,
                    period_end=job.period.end,
                    mode=job.mode,
                    names=job.masking.names,
                    times=job.masking.times,
                ),
                lines=lines,
                identities=identities,
                opaque=self._opaque,
            )
        figures = Figures(
            messages=roots.messages,
            conversations=len({roster.conversation for roster in self._reader.rosters.values()}),
            subjects=sum(1 for one in people.values() if one.subject),
            bystanders=people_seen,
            pseudonyms=len(self._table),
            opaque=self._opaque,
            package_bytes=size,
        )
        return Packed(
            sealed_secret=base64.b64encode(sealed_secret).decode(),
            package=digest.hex(),
            identities_root=roots.identities_root.hex(),
            identities=roots.identities,
            messages_root=roots.messages_root.hex(),
            figures=figures,
        )

    def _people_seen(self, people: dict[str, Person]) -> int:
        keys = {person.key for person in people.values()}
        return sum(1 for _, kind, value in self._table.items() if kind is InfoType.PERSON and value in keys)


def _numbers(conversations: set[str]) -> dict[str, int]:
    """Number conversations in random order, so that no two dossiers share one."""
    ordered = sorted(conversations)
    secrets.SystemRandom().shuffle(ordered)
    return {conversation: place for place, conversation in enumerate(ordered, 1)}


def preserve(job: Job, stubs: Stubs, emit: Callable[[Event], None], mesh: str) -> int:
    """Hand custody every record of a preservation order's scope; returns how many segments it keeps.

    Raises:
        RefusedError: Custody's and the store's reasons.
    """
    keeper = PreservingReader(
        custody=stubs.custody,
        document=statement_pb2.Document(media_type=job.media_type, content=base64.b64decode(job.document)),
        grant=statement_pb2.LoggedStatement.FromString(base64.b64decode(job.logged_grant)),
        reader=reader_of(job, stubs, KeyRequester(stubs.custody, mesh, bytes.fromhex(job.dossier)), emit),
    )
    return keeper.run(lambda done: emit(Progress(stage="preserving", done=done)))
