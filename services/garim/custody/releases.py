"""Segment and roster keys of a dossier's scope: all or nothing, logged first, sealed to one attempt."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.dossiers import demand_unexpired
from garim.custody.epochs import wrapped_private
from garim.custody.evidence import Evidence, Scope, judge, read_evidence
from garim.custody.gate import demand_granted, demand_running
from garim.custody.preserved import Preserved, find_preserved
from garim.custody.tables import dossiers, epochs
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.epochs import Epoch
from garim.custody.tagging import RecentTags, lives
from garim.documents.claims import Disclosure, read_claims
from garim.documents.scope import period_of, subjects_of
from garim.sealing import hpke, released
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements import strict_json
from garim.statements.governance import raw_key
from garim.statements.grants import Subject
from garim.statements.refusal import Kind, RefusedError


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """What a caller sends to show that keys may be released.

    Attributes:
        write_secrets: Those that the rosters and headers name.
        rosters: Whole roster records.
        headers: Encoded segment headers.
    """

    write_secrets: Sequence[SealedWriteSecret]
    rosters: Sequence[bytes]
    headers: Sequence[bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """Records that were found in scope, and where their keys come from.

    Attributes:
        evidence: The records.
        epochs: Epochs they belong to, by id.
        sources: For the opener.
    """

    evidence: Evidence
    epochs: dict[str, Epoch]
    sources: jobs.KeySources


class Releases:
    """Releases keys.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tags = RecentTags(core)

    def release(self, dossier_id: bytes, attempt_public: bytes, records: Records) -> bytes:
        """Release the keys of every record, or none.

        Args:
            dossier_id: The dossier.
            attempt_public: One-time HPKE public key of the attempt.
            records: What shows that they may be released.

        Returns:
            The keys, in order, sealed to the attempt.

        Raises:
            RefusedError: `DOSSIER_UNKNOWN`, `DOSSIER_CLOSED`, `DOSSIER_EXPIRED`, `FROZEN`,
                `DOCUMENT_REVOKED`, `CASE_STATE`, `CASE_STATUS`, `KEY_*`, `LOG_*`.
        """
        core = self._core
        dossier = self._open_dossier(dossier_id)
        demand_unexpired(dossier, core.clock.now_ms())
        hpke.load_public(attempt_public)
        claims = disclosure_of(dossier)
        scope = Scope(period_of(claims), claims.issued_ms)
        preserved = find_preserved(core, claims)
        judged = judge_records(core, records, scope, subjects_of(claims), preserved, self._tags.of)
        self._demand_foreseen(dossier, judged.evidence)
        demand_granted(core, dossier.document_digest, dossier.case_id)
        digest = released.request_digest(records.rosters, records.headers)
        logged_ms = self._log(dossier, digest, attempt_public, judged.evidence)
        demand_unexpired(dossier, logged_ms)
        demand_retained(core, judged.epochs, logged_ms, preserved)
        self._open_dossier(dossier_id)
        job = jobs.ReleaseKeys(
            mesh=core.mesh, dossier=dossier_id, digest=digest, attempt=attempt_public, sources=judged.sources
        )
        sealed = jobs.Sealed.model_validate_json(core.opener.run(job.encode())).sealed
        # What stopped custody while the opener worked acts on keys that have not left.
        self._open_dossier(dossier_id)
        return sealed

    def _open_dossier(self, dossier_id: bytes) -> Dossier:
        with self._core.database.reading() as connection:
            dossier = dossiers.find(connection, dossier_id.hex())
            if dossier is None or dossier.state == "making":
                raise unknown_dossier()
            if dossier.state != "open":
                raise RefusedError(
                    "DOSSIER_CLOSED",
                    "the dossier is closed: nothing is released for it",
                    kind=Kind.PRECONDITION,
                )
            demand_running(connection, dossier.document_digest)
        return dossier

    def _demand_foreseen(self, dossier: Dossier, evidence: Evidence) -> None:
        """Refuse conversations that the forecast left out: review and budgets were judged by its tags."""
        with self._core.database.reading() as connection:
            foreseen = set(dossiers.conversations(connection, dossier.id))
        for number, one in enumerate(evidence.headers):
            if one.header.conversation.hex() not in foreseen:
                raise RefusedError(
                    "KEY_FORECAST",
                    "the store's forecast for this document named no such conversation",
                    kind=Kind.FORBIDDEN,
                    field=f"headers[{number}]",
                )

    def _log(self, dossier: Dossier, digest: bytes, attempt_public: bytes, evidence: Evidence) -> int:
        keys = len(evidence.rosters) + len(evidence.headers)
        attempt = hashlib.sha256(attempt_public).hexdigest()
        body = strict_json.dump(
            {"attempt": attempt, "dossier": dossier.id, "keys": keys, "records": digest.hex()}
        )
        key = hashlib.sha256(body).hexdigest()
        return self._core.journal.append("keys-released", body, key=key, magnitudes={"keys": keys}).time_ms


def unknown_dossier() -> RefusedError:
    """Return the refusal for a dossier that does not exist, or whose creation is not logged."""
    return RefusedError("DOSSIER_UNKNOWN", "no such dossier", kind=Kind.NOT_FOUND, field="dossier_id")


def disclosure_of(dossier: Dossier) -> Disclosure:
    """Return what a dossier's document says, from the payload that custody verified and kept.

    Raises:
        RefusedError: `DOSSIER_DAMAGED`.
    """
    claims = read_claims(dossier.payload)
    if (
        not isinstance(claims, Disclosure)
        or hashlib.sha256(dossier.payload).hexdigest() != dossier.document_digest
    ):
        raise RefusedError("DOSSIER_DAMAGED", "the kept document is damaged", kind=Kind.DATA_LOSS)
    return claims


def judge_records(
    core: Core,
    records: Records,
    scope: Scope,
    subjects: tuple[Subject, ...],
    preserved: Preserved | None,
    tags_in: Callable[[Epoch, tuple[Subject, ...]], tuple[bytes, ...]],
) -> Judged:
    """Read and judge records, and find where their keys come from.

    Args:
        core: Custody's means.
        records: As received.
        scope: What the document covers.
        subjects: Whom it names.
        preserved: What an order keeps for it, if one does.
        tags_in: Returns the subjects' tags in a living epoch.

    Raises:
        RefusedError: Those of `evidence.read_evidence` and `evidence.judge`.
    """
    store_keys = {
        one.instance: raw_key(one.key)
        for one in core.governance.current().services
        if one.service == "messages"
    }
    evidence = read_evidence(core.mesh, store_keys, records.write_secrets, records.rosters, records.headers)
    now_ms = core.clock.now_ms()
    usable: dict[str, Epoch] = {}
    tags: dict[str, tuple[bytes, ...]] = {}
    for epoch_id in evidence.epochs() | {one.record.epoch.hex() for one in evidence.secrets.values()}:
        with core.database.reading() as connection:
            epoch = epochs.find(connection, epoch_id)
        if epoch is None:
            continue
        if lives(core, epoch, now_ms):
            tags[epoch_id] = tags_in(epoch, subjects)
        elif preserved is not None and preserved.holds(epoch_id):
            tags[epoch_id] = preserved.tags(epoch_id, subjects)
        else:
            continue
        usable[epoch_id] = epoch
    judge(evidence, scope, usable, tags)
    living = {one: epoch for one, epoch in usable.items() if lives(core, epoch, now_ms)}
    return Judged(evidence, usable, _sources(evidence, living, preserved))


def demand_retained(core: Core, touched: dict[str, Epoch], at_ms: int, preserved: Preserved | None) -> None:
    """Refuse an epoch that went past retention by the time of the log entry, unless an order keeps it.

    Raises:
        RefusedError: `KEY_RETENTION`.
    """
    for epoch in touched.values():
        kept = preserved is not None and preserved.lasts(at_ms) and preserved.holds(epoch.id)
        if not kept and not lives(core, epoch, at_ms):
            raise retention()


def retention() -> RefusedError:
    """Return the refusal of what is past retention."""
    return RefusedError(
        "KEY_RETENTION", "the epoch is past retention: nothing of it is released", kind=Kind.PRECONDITION
    )


def _sources(evidence: Evidence, living: dict[str, Epoch], preserved: Preserved | None) -> jobs.KeySources:
    """Return where each wanted key comes from: a write secret of a living epoch, or an order's batch."""
    epoch_numbers = {one: number for number, one in enumerate(living)}
    secrets = {
        one: secret for one, secret in evidence.secrets.items() if secret.record.epoch.hex() in epoch_numbers
    }
    secret_numbers = {one: number for number, one in enumerate(secrets)}
    batches: dict[bytes, jobs.KeptBatch] = {}
    wanted = []
    records = [
        (one.record.plain.write_secret, one.digest, "roster", one.record.plain_bytes)
        for one in evidence.rosters
    ] + [
        (one.header.write_secret, hashlib.sha256(one.encoded).digest(), "segment", one.encoded)
        for one in evidence.headers
    ]
    for secret_id, record_digest, kind, data in records:
        number = secret_numbers.get(secret_id)
        if number is not None:
            wanted.append(jobs.Wanted(source="secret", number=number, kind=kind, data=data))
            continue
        place = None if preserved is None else preserved.place(record_digest)
        if place is None:
            raise retention()
        batch, position = place
        batches.setdefault(batch.batch, batch)
        wanted.append(
            jobs.Wanted(source="kept", number=list(batches).index(batch.batch), position=position, kind=kind)
        )
    return jobs.KeySources(
        epochs=tuple(wrapped_private(one) for one in living.values()),
        secrets=tuple(
            jobs.OpenedFrom(
                epoch=epoch_numbers[one.record.epoch.hex()], record=one.kept.record, sealed=one.kept.sealed
            )
            for one in secrets.values()
        ),
        batches=tuple(batches.values()),
        wanted=tuple(wanted),
    )
