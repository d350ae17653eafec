"""The steps of one attempt, in order."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2, messages_pb2_grpc
from garim.dossier.outline import Outline
from garim.dossier.transcript import About
from garim.kit.convert import envelope_to
from garim.leakscan.package import Scanned
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.redaction.attempt.accounts import EpochAccounts
from garim.redaction.attempt.ahead import ahead
from garim.redaction.attempt.batches import Chunk, Finish, Given, Scope, Wanted
from garim.redaction.attempt.custody_keys import AttemptKey, KeyRequester
from garim.redaction.attempt.job import Account, Event, Figures, Held, Job, Packed, Progress
from garim.redaction.attempt.packing import HeldError, Packing, sealed_identities, write_encrypted
from garim.redaction.attempt.people import people_of
from garim.redaction.attempt.preserving import PreservingReader
from garim.redaction.attempt.reading import ScopeReader
from garim.redaction.attempt.scanning import line_scan, package_scan
from garim.redaction.attempt.workshop import Workshop
from garim.sealing import identity
from garim.sealing.secret import Secret
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.scope import ScopeTicket

READ_AHEAD = 2
"""So many batches are read, and their keys asked for, while earlier ones are masked."""


@dataclass(frozen=True, slots=True)
class Stubs:
    """Whom an attempt calls.

    Args:
        store: The message store.
        custody: Custody.
    """

    store: messages_pb2_grpc.MessageStoreServiceStub
    custody: custody_pb2_grpc.CustodyServiceStub


def reader_of(job: Job, stubs: Stubs, key: AttemptKey, emit: Callable[[Event], None]) -> ScopeReader:
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
        requester=KeyRequester(stubs.custody, key),
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
        workshop: Its key, spools and workers; closed when it has run.
        emit: Takes events.
    """

    def __init__(self, job: Job, stubs: Stubs, workshop: Workshop, emit: Callable[[Event], None]) -> None:
        self._job = job
        self._emit = emit
        self._shop = workshop
        self._dossier = bytes.fromhex(job.dossier)
        self._stubs = stubs
        self._table = PseudonymTable(secrets.token_bytes)
        self._outline = Outline()
        self._places: Counter[int] = Counter()
        self._chunks: dict[int, list[Chunk]] = {}

    def run(self) -> Packed | Held:
        """Run all steps; returns how it ended.

        Raises:
            RosterAppearedError: The attempt must start again.
            RefusedError: `LEAK_FOUND`, `STORE_INCONSISTENT`, custody's and the store's reasons.
        """
        try:
            with self._shop:
                reader = reader_of(self._job, self._stubs, self._shop.key, self._emit)
                for done in reader.read_rosters():
                    self._emit(Progress(stage="rosters", done=done))
                people = people_of(
                    (member for roster in reader.rosters.values() for member in roster.members),
                    self._job.subjects,
                )
                self._mask(reader, people)
                return self._pack(reader, people)
        except HeldError as held:
            return Held(holds=tuple(held.holds))
        finally:
            self._table.wipe()

    def _mask(self, reader: ScopeReader, people: dict[str, Person]) -> None:
        """Have every batch masked into the spools."""
        period, rosters = self._job.period, reader.rosters.values()
        scope = Scope(
            people=people,
            numbers=_numbers({roster.conversation for roster in rosters}),
            period_start=period.start,
            period_end=period.end,
            open_names=self._job.masking.open_names,
            times=self._job.masking.times,
        )
        crew = self._shop.crew
        crew.tell(scope)
        done = 0
        for masked in crew.run(ahead(reader.read_batches(), READ_AHEAD), self._give):
            for chunk in masked.chunks:
                self._chunks.setdefault(chunk.conversation, []).append(chunk)
                done += chunk.lines
            self._outline.join(masked.outline)
            self._emit(Progress(stage="masking", done=done))

    def _give(self, wanted: Wanted) -> Given:
        """Answer a worker from the one table and the one count of each conversation."""
        places = {one: self._places[one] for one in wanted.messages}
        self._places.update(wanted.messages)
        names = []
        for kind, value, spelling in wanted.values:
            pseudonym = self._table.of(kind, value)
            names.append((pseudonym, self._table.opening(pseudonym, spelling or None)))
        return Given(places, names)

    def _pack(self, reader: ScopeReader, people: dict[str, Person]) -> Packed:
        """Scan all lines, and write the package while they pass; where one is held, it is gone again."""
        job = self._job
        finish = Finish(self._outline, list(self._table.items()), frozenset(job.lifted), job.masking.times)
        self._shop.crew.tell(finish)
        sealed_secret = b""
        identities: Iterable[tuple[str, str, bytes]] = ()
        with Secret.random() as secret:
            if job.mode == "sealed":
                sealed_secret = identity.seal_secret(
                    secret,
                    base64.b64decode(job.public_key),
                    self._shop.key.mesh,
                    self._dossier,
                    bytes.fromhex(job.grant),
                )
                identities = sealed_identities(
                    self._table, people, secret, self._shop.key.mesh, self._dossier
                )
            about = About(
                dossier=job.dossier,
                authority=job.authority,
                case_number=job.case_number,
                number=job.number,
                period_start=job.period.start,
                period_end=job.period.end,
                mode=job.mode,
                names=job.masking.names,
                times=job.masking.times,
            )
            scanned = Scanned()
            package = Packing(
                about=about,
                outline=self._outline,
                chunks=self._chunks,
                opaque=reader.opaque,
                shop=self._shop,
                emit=self._emit,
                scanned=scanned,
            )
            roots, digest, size = write_encrypted(
                Path(job.package),
                job.recipient,
                lambda sink: package.write(sink, identities),
                package_scan(line_scan(people, finish.table), scanned, people, about),
            )
        figures = Figures(
            messages=roots.messages,
            conversations=len({roster.conversation for roster in reader.rosters.values()}),
            subjects=sum(1 for one in people.values() if one.subject),
            bystanders=self._people_seen(people),
            pseudonyms=len(self._table),
            opaque=reader.opaque,
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
        reader=reader_of(job, stubs, AttemptKey(mesh, bytes.fromhex(job.dossier)), emit),
    )
    return keeper.run(lambda done: emit(Progress(stage="preserving", done=done)))
