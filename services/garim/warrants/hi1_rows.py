"""What is kept of HI1 messages: transactions that took place, and objects as their owners made them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import sqlalchemy as sa

from garim.documents.etsi.trees import Node, node_of
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.schema import hi1_objects, hi1_transactions


@dataclasses.dataclass(frozen=True, slots=True)
class NewObject:
    """An object that a message creates.

    Attributes:
        identifier: UUID.
        tree: As its owner made it.
    """

    identifier: str
    tree: Node


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """What is remembered of a message that takes effect, in the transaction in which it does.

    Attributes:
        sender: The agency.
        transaction: UUID.
        at_ms: When, milliseconds since 1970.
        created: Objects that it creates.
        changed: Objects that it changes, with the generation that they have until then.
    """

    sender: str
    transaction: str
    at_ms: int
    created: tuple[NewObject, ...] = ()
    changed: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class KeptObject:
    """An object as it is kept.

    Attributes:
        identifier: UUID.
        owner: The agency that made it.
        case: The case that it belongs to.
        generation: 1 when it is made, one more with each change.
        changed_ms: When its owner last changed it, milliseconds since 1970.
        tree: As its owner made it.
    """

    identifier: str
    owner: str
    case: bytes
    generation: int
    changed_ms: int
    tree: Node


def is_known(connection: sa.Connection, sender: str, transaction: str) -> bool:
    """Tell whether a sender's transaction took place."""
    same = (hi1_transactions.c.sender == sender) & (hi1_transactions.c.transaction_id == transaction)
    return connection.execute(sa.select(hi1_transactions.c.at_ms).where(same)).first() is not None


def remember(connection: sa.Connection, taken: Taken, case: bytes | None) -> None:
    """Remember a message in an open transaction.

    Args:
        connection: The transaction.
        taken: What of it.
        case: The case that created objects belong to.

    Raises:
        RefusedError: `TRANSACTION_REPEATED`, `OBJECT_EXISTS`, `GENERATION_STALE`.
    """
    if is_known(connection, taken.sender, taken.transaction):
        raise repeated()
    connection.execute(
        sa.insert(hi1_transactions).values(
            sender=taken.sender, transaction_id=taken.transaction, at_ms=taken.at_ms
        )
    )
    for one in taken.created:
        if find(connection, one.identifier) is not None:
            raise exists()
        connection.execute(
            sa.insert(hi1_objects).values(
                object_id=one.identifier,
                owner=taken.sender,
                case_id=case,
                generation=1,
                changed_ms=taken.at_ms,
                tree=json.dumps(one.tree.to_object(), ensure_ascii=False),
            )
        )
    for identifier, generation in taken.changed:
        mine = (hi1_objects.c.object_id == identifier) & (hi1_objects.c.generation == generation)
        done = connection.execute(
            sa.update(hi1_objects).where(mine).values(generation=generation + 1, changed_ms=taken.at_ms)
        )
        if done.rowcount != 1:
            raise stale()


def find(connection: sa.Connection, identifier: str) -> KeptObject | None:
    """Return an object by its identifier."""
    query = sa.select(hi1_objects).where(hi1_objects.c.object_id == identifier)
    row = connection.execute(query).one_or_none()
    return None if row is None else _kept(row)


def of_owner(connection: sa.Connection, owner: str, limit: int) -> Sequence[KeptObject]:
    """Return an agency's objects, the latest first."""
    query = sa.select(hi1_objects).where(hi1_objects.c.owner == owner)
    ordered = query.order_by(hi1_objects.c.changed_ms.desc(), hi1_objects.c.object_id).limit(limit)
    return [_kept(row) for row in connection.execute(ordered)]


def _kept(row: sa.Row[tuple[object, ...]]) -> KeptObject:
    return KeptObject(
        row.object_id, row.owner, row.case_id, row.generation, row.changed_ms, node_of(json.loads(row.tree))
    )


def repeated() -> RefusedError:
    """Return the refusal of a transaction that took place."""
    return RefusedError(
        "TRANSACTION_REPEATED",
        "a message with this transaction took effect: ask for its objects, or send a new transaction",
        kind=Kind.EXISTS,
        field="TransactionIdentifier",
    )


def exists() -> RefusedError:
    """Return the refusal of an object whose identifier is taken."""
    return RefusedError(
        "OBJECT_EXISTS",
        "an object with this identifier exists: ask for it, or give this one another identifier",
        kind=Kind.EXISTS,
        field="ObjectIdentifier",
    )


def stale() -> RefusedError:
    """Return the refusal of a change to an older generation than is kept."""
    return RefusedError(
        "GENERATION_STALE",
        "the object has another generation by now: ask for it, then change that one",
        kind=Kind.PRECONDITION,
        field="Generation",
    )
