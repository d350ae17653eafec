"""Unmask requests: what they name, who decided what, and the shares that came with approvals."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from garim.custody.tables.schema import metadata
from garim.kit.db import insert_or_ignore, insert_or_replace
from garim.kit.db.columns import WIDE

State = Literal["making", "pending", "releasing", "released", "denied", "expired", "revoked"]
"""`making`: its opening is not logged yet. That enough custodians approve is counted anew each time."""

UNFINISHED: tuple[State, ...] = ("making", "pending", "releasing")
"""States that something can still end."""

DECIDABLE: tuple[State, ...] = ("pending", "releasing")
"""States in which custodians may decide: a release that waits for the log can still be denied."""

LIVE: tuple[State, ...] = (*UNFINISHED, "released")
"""States whose identities count against the budget."""

unmask_requests = Table(
    "unmask_requests",
    metadata,
    Column("request_id", String, primary_key=True),
    Column("dossier_id", String, ForeignKey("dossiers.dossier_id"), nullable=False, index=True),
    Column("document_digest", String, nullable=False, unique=True),
    Column("media_type", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("grant_digest", String, nullable=False),
    Column("grant", LargeBinary, nullable=False),
    Column("grant_proof", LargeBinary, nullable=False),
    Column("case_id", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("filer", String, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("wrapped_private", LargeBinary),
    Column("subject", String, nullable=False),
    Column("state", String, nullable=False),
    Column("opened_ms", WIDE, nullable=False),
    Column("expires_ms", WIDE, nullable=False),
    Column("opened_body", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
)

unmask_identities = Table(
    "unmask_identities",
    metadata,
    Column("request_id", String, ForeignKey("unmask_requests.request_id"), primary_key=True),
    Column("pseudonym", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

unmask_decisions = Table(
    "unmask_decisions",
    metadata,
    Column("request_id", String, ForeignKey("unmask_requests.request_id"), primary_key=True),
    Column("digest", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("action", String, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("at_ms", WIDE, nullable=False),
)

unmask_shares = Table(
    "unmask_shares",
    metadata,
    Column("request_id", String, ForeignKey("unmask_requests.request_id"), primary_key=True),
    Column("subset", String, primary_key=True),
    Column("custodian", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

t = unmask_requests


@dataclasses.dataclass(frozen=True, slots=True)
class UnmaskRequest:
    """An unmask request as custody keeps it.

    Attributes:
        id: Random id, 32 hexadecimal digits.
        dossier_id: Its dossier.
        document_digest: SHA-256 of the supplementary document's payload.
        media_type: Format of the document.
        document: The document as received.
        grant_digest: SHA-256 of the grant's payload.
        grant: The grant's envelope, JSON.
        grant_proof: Its log proof, JSON.
        case_id: Id of the case at warrants.
        recipient: The age public key that the answer goes to.
        filer: Who filed it; may not approve it.
        public_key: One-time HPKE public key to which shares are re-sealed.
        wrapped_private: Its private key under the request's object; None once destroyed.
        subject: What decisions name.
        state: Where it stands.
        opened_ms: When it was opened.
        expires_ms: When it ends undecided.
        opened_body: Body of its log entry.
        answer: The released answer, encrypted to the recipient.
    """

    id: str
    dossier_id: str
    document_digest: str
    media_type: str
    document: bytes
    grant_digest: str
    grant: bytes
    grant_proof: bytes
    case_id: str
    recipient: str
    filer: str
    public_key: bytes
    wrapped_private: bytes | None
    subject: str
    state: State
    opened_ms: int
    expires_ms: int
    opened_body: bytes
    answer: bytes | None = None

    @property
    def is_lost(self) -> bool:
        """Whether only its log entry is left of it, after custody's database was restored."""
        return not self.document


@dataclasses.dataclass(frozen=True, slots=True)
class KeptDecision:
    """A custodian's decision.

    Attributes:
        person: Whose.
        action: `approve` or `deny`.
        envelope: The signed decision, JSON.
        at_ms: When it was recorded.
    """

    person: str
    action: str
    envelope: bytes
    at_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovedShare:
    """A share that came with an approval, sealed to the request's one-time key.

    Attributes:
        subset: Names of the subset's custodians, sorted.
        custodian: Whose place in the subset it fills.
        sealed: The share.
    """

    subset: tuple[str, ...]
    custodian: str
    sealed: bytes


def _of(row: Row[Any]) -> UnmaskRequest:
    values = {
        one.name: getattr(row, one.name) for one in dataclasses.fields(UnmaskRequest) if one.name != "id"
    }
    return UnmaskRequest(id=row.request_id, **values)


def add(connection: Connection, request: UnmaskRequest, identities: Iterable[tuple[str, bytes]]) -> None:
    """Keep a new request with the sealed identities it names."""
    values = dataclasses.asdict(request)
    connection.execute(insert(t).values(request_id=values.pop("id"), **values))
    connection.execute(
        insert(unmask_identities),
        [{"request_id": request.id, "pseudonym": name, "sealed": sealed} for name, sealed in identities],
    )


def find(connection: Connection, request_id: str) -> UnmaskRequest | None:
    """Return a request by its id."""
    row = connection.execute(select(t).where(t.c.request_id == request_id)).first()
    return None if row is None else _of(row)


def of_document(connection: Connection, digest: str) -> UnmaskRequest | None:
    """Return the request of a supplementary document."""
    row = connection.execute(select(t).where(t.c.document_digest == digest)).first()
    return None if row is None else _of(row)


def of_subject(connection: Connection, subject: str) -> UnmaskRequest | None:
    """Return the request that decisions of this subject digest are about."""
    row = connection.execute(select(t).where(t.c.subject == subject)).first()
    return None if row is None else _of(row)


def unfinished(connection: Connection) -> list[UnmaskRequest]:
    """Return the requests that nothing has ended yet."""
    query = select(t).where(t.c.state.in_(UNFINISHED)).order_by(t.c.opened_ms)
    return [_of(row) for row in connection.execute(query)]


def page(
    connection: Connection, before: tuple[int, str] | None, limit: int, states: Sequence[str] | None
) -> list[UnmaskRequest]:
    """Return requests, newest first.

    Args:
        connection: An open transaction.
        before: Opening time and id of the last one of the page before; None for the first page.
        limit: How many at most.
        states: Only these; None for all.
    """
    query = select(t).order_by(t.c.opened_ms.desc(), t.c.request_id.desc()).limit(limit)
    if before is not None:
        at_ms, request_id = before
        query = query.where(
            (t.c.opened_ms < at_ms) | ((t.c.opened_ms == at_ms) & (t.c.request_id < request_id))
        )
    if states is not None:
        query = query.where(t.c.state.in_(states))
    return [_of(row) for row in connection.execute(query)]


def identities(connection: Connection, request_id: str) -> list[tuple[str, bytes]]:
    """Return what a request names: pseudonym and sealed identity, sorted."""
    query = select(unmask_identities).where(unmask_identities.c.request_id == request_id)
    rows = connection.execute(query.order_by(unmask_identities.c.pseudonym))
    return [(row.pseudonym, row.sealed) for row in rows]


def spent(connection: Connection, dossier_ids: Iterable[str], *, besides: str) -> int:
    """Return how many identities the live requests of these dossiers name, without one of them."""
    query = (
        select(func.count())
        .select_from(unmask_identities.join(t))
        .where(t.c.dossier_id.in_(list(dossier_ids)), t.c.state.in_(LIVE), t.c.request_id != besides)
    )
    return connection.execute(query).scalar_one()


def decisions(connection: Connection, request_id: str) -> list[KeptDecision]:
    """Return all decisions on a request in the order they came."""
    query = select(unmask_decisions).where(unmask_decisions.c.request_id == request_id)
    rows = connection.execute(query.order_by(unmask_decisions.c.at_ms))
    return [KeptDecision(row.person, row.action, row.envelope, row.at_ms) for row in rows]


def decision(connection: Connection, request_id: str, digest: str) -> KeptDecision | None:
    """Return a decision on a request by the SHA-256 of its payload, if it was kept."""
    row = connection.execute(
        select(unmask_decisions).where(
            unmask_decisions.c.request_id == request_id, unmask_decisions.c.digest == digest
        )
    ).first()
    return None if row is None else KeptDecision(row.person, row.action, row.envelope, row.at_ms)


def decide(
    connection: Connection,
    request_id: str,
    digest: str,
    decision: KeptDecision,
    shares: Iterable[ApprovedShare],
) -> None:
    """Keep a decision, and the shares that came with it in place of the person's earlier ones."""
    values = {"request_id": request_id, "digest": digest, **dataclasses.asdict(decision)}
    insert_or_ignore(connection, unmask_decisions, values)
    insert_or_replace(
        connection,
        unmask_shares,
        [
            {
                "request_id": request_id,
                "subset": json.dumps(one.subset),
                "custodian": one.custodian,
                "sealed": one.sealed,
            }
            for one in shares
        ],
    )


def shares(connection: Connection, request_id: str) -> list[ApprovedShare]:
    """Return all shares that approvals brought."""
    query = select(unmask_shares).where(unmask_shares.c.request_id == request_id)
    return [
        ApprovedShare(tuple(json.loads(row.subset)), row.custodian, row.sealed)
        for row in connection.execute(query)
    ]


def change(connection: Connection, request_id: str, **values: object) -> None:
    """Change columns of a request."""
    connection.execute(update(t).where(t.c.request_id == request_id).values(**values))


def advance(
    connection: Connection, request_id: str, before: Sequence[State], state: State, **values: object
) -> bool:
    """Move a request on, unless it has left the states it may be moved from.

    Args:
        connection: A writing transaction.
        request_id: The request.
        before: States from which it may move.
        state: Where it moves to.
        values: Further columns that change with it.

    Returns:
        Whether it moved.
    """
    moved = connection.execute(
        update(t).where(t.c.request_id == request_id, t.c.state.in_(before)).values(state=state, **values)
    )
    return moved.rowcount == 1


def drop_shares(connection: Connection, request_id: str) -> None:
    """Drop the shares that approvals brought."""
    connection.execute(delete(unmask_shares).where(unmask_shares.c.request_id == request_id))


def drop_brought(connection: Connection, dossier_id: str, custodian: str) -> None:
    """Drop the shares that approvals of a dossier's requests brought for one custodian's place."""
    requests = select(t.c.request_id).where(t.c.dossier_id == dossier_id)
    connection.execute(
        delete(unmask_shares).where(
            unmask_shares.c.request_id.in_(requests), unmask_shares.c.custodian == custodian
        )
    )


def end_without_key(connection: Connection, request_id: str) -> None:
    """Drop the one-time private key and the shares sealed to it; what is undecided has expired."""
    advance(connection, request_id, UNFINISHED, "expired")
    change(connection, request_id, wrapped_private=None)
    drop_shares(connection, request_id)
