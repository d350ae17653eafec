"""The records that show a key may be released: write secrets, rosters, headers. Pure: no I/O.

A key is released only where every link holds: the store signed the write secret's record; the record lies in
its epoch; the header lies in the record; the header names the roster by digest; the roster holds a subject's
tag of that epoch; sent-at overlaps the period; the last message was received before the document was issued.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from garim.custody.tables.epochs import Epoch
from garim.sealing import roster as rosters_format
from garim.sealing import write_secret
from garim.sealing.roster import RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from garim.statements.grants import Period
from garim.statements.refusal import Kind, RefusedError

MAX_KEYS = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class Secret:
    """A verified write secret: what was kept and what its record says."""

    kept: SealedWriteSecret
    record: WriteSecretRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Roster:
    """A roster record, its bytes and its digest."""

    encoded: bytes
    digest: bytes
    record: RosterRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """A segment header and its bytes."""

    encoded: bytes
    header: SegmentHeader


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """All records of one request, read and internally consistent.

    Attributes:
        secrets: By id.
        rosters: In the request's order.
        headers: In the request's order.
    """

    secrets: Mapping[bytes, Secret]
    rosters: Sequence[Roster]
    headers: Sequence[Header]

    def epochs(self) -> set[str]:
        """Return the ids of all epochs that the rosters belong to."""
        return {one.record.plain.epoch.hex() for one in self.rosters}


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a document covers.

    Attributes:
        period: Sent-at span.
        received_until: The document's issue; nothing received after it is covered.
    """

    period: Period
    received_until: int


def read_evidence(
    mesh: str,
    store_keys: dict[str, bytes],
    write_secrets: Sequence[SealedWriteSecret],
    rosters: Sequence[bytes],
    headers: Sequence[bytes],
) -> Evidence:
    """Read the records and verify the write secrets' signatures.

    Args:
        mesh: This mesh.
        store_keys: Pinned Ed25519 keys by store name.
        write_secrets: Those that the rosters and headers name.
        rosters: Whole roster records.
        headers: Encoded segment headers.

    Raises:
        RefusedError: `KEY_COUNT`, `RECORD_LAYOUT`, `SEGMENT_*`, `ROSTER_ORDER`, `WRITE_SECRET_*`.
    """
    if not headers or len(rosters) + len(headers) > MAX_KEYS:
        raise RefusedError("KEY_COUNT", f"name at least one header and at most {MAX_KEYS} records in all")
    secrets = {}
    for kept in write_secrets:
        secrets[kept.id] = Secret(kept, write_secret.verify(kept, mesh, store_keys))
    return Evidence(
        secrets,
        [Roster(one, rosters_format.digest(one), RosterRecord.decode(one)) for one in rosters],
        [Header(one, SegmentHeader.decode(one)) for one in headers],
    )


def judge(
    evidence: Evidence,
    scope: Scope,
    epochs: Mapping[str, Epoch],
    tags: Mapping[str, Collection[bytes]],
) -> None:
    """Refuse all keys unless every record proves that it lies in the scope.

    Args:
        evidence: The records.
        scope: What the document covers.
        epochs: Epochs from which something may still be released, by id.
        tags: The document's subjects' tags, by epoch id.

    Raises:
        RefusedError: `KEY_RECORD`, `KEY_ROSTER`, `KEY_SCOPE` or `KEY_RETENTION`.
    """
    for number, secret in enumerate(evidence.secrets.values()):
        _judge_secret(secret, epochs, f"write_secrets[{number}]")
    for number, roster in enumerate(evidence.rosters):
        _judge_roster(roster, evidence, tags, f"rosters[{number}]")
    by_digest = {one.digest: one for one in evidence.rosters}
    for number, header in enumerate(evidence.headers):
        _judge_header(header.header, evidence, by_digest, scope, f"headers[{number}]")
    named = {one.header.roster for one in evidence.headers}
    for number, roster in enumerate(evidence.rosters):
        if roster.digest not in named:
            raise _roster("no header of this request names the roster", f"rosters[{number}]")


def _judge_secret(secret: Secret, epochs: Mapping[str, Epoch], field: str) -> None:
    epoch = epochs.get(secret.record.epoch.hex())
    if epoch is None:
        raise RefusedError(
            "KEY_RETENTION",
            "the epoch is unknown or past retention: nothing of it is released",
            kind=Kind.PRECONDITION,
            field=field,
        )
    if secret.record.not_before < epoch.not_before_ms or secret.record.not_after > epoch.not_after_ms:
        raise _record("the write secret lies outside its epoch", field)


def _judge_roster(
    roster: Roster, evidence: Evidence, tags: Mapping[str, Collection[bytes]], field: str
) -> None:
    plain = roster.record.plain
    secret = evidence.secrets.get(plain.write_secret)
    if secret is None:
        raise _record("the request lacks the roster's write secret", field)
    if secret.record.epoch != plain.epoch:
        raise _record("the roster's write secret belongs to another epoch", field)
    if not {one.tag for one in plain.members} & set(tags.get(plain.epoch.hex(), ())):
        raise _roster("no subject of the document is in the conversation", field)


def _judge_header(
    header: SegmentHeader,
    evidence: Evidence,
    rosters: Mapping[bytes, Roster],
    scope: Scope,
    field: str,
) -> None:
    secret = evidence.secrets.get(header.write_secret)
    if secret is None:
        raise _record("the request lacks the header's write secret", field)
    if header.received_first < secret.record.not_before or header.received_last >= secret.record.not_after:
        raise _record("the segment was received outside its write secret's life", field)
    roster = rosters.get(header.roster)
    if roster is None:
        raise _roster("the request lacks the roster that the header names", field)
    if roster.record.plain.conversation != header.conversation:
        raise _roster("the roster is of another conversation", field)
    roster_secret = evidence.secrets[roster.record.plain.write_secret]
    if secret.record.epoch != roster.record.plain.epoch or secret.record.store != roster_secret.record.store:
        raise _record("header and roster are of different epochs or stores", field)
    if header.sent_first >= scope.period.end or header.sent_last < scope.period.start:
        raise _scope("the segment was sent outside the period", field)
    if header.received_last > scope.received_until:
        raise _scope("the segment was received after the document's issue", field)


def _record(message: str, field: str) -> RefusedError:
    return RefusedError("KEY_RECORD", message, kind=Kind.FORBIDDEN, field=field)


def _roster(message: str, field: str) -> RefusedError:
    return RefusedError("KEY_ROSTER", message, kind=Kind.FORBIDDEN, field=field)


def _scope(message: str, field: str) -> RefusedError:
    return RefusedError("KEY_SCOPE", message, kind=Kind.FORBIDDEN, field=field)
