"""What a preservation order keeps, opened for a court's document that lies inside the order."""

from __future__ import annotations

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.kinds import ORDER
from garim.custody.tables import objects, orders, stopping
from garim.custody.tables.orders import Order
from garim.documents.claims import Disclosure, EmergencyPreservation, Keeping, Preservation, read_claims
from garim.documents.scope import period_of, subjects_of
from garim.statements.grants import Subject


class Preserved:
    """An order in force.

    Args:
        core: Custody's means.
        order: The order.
        subjects: Whom the order names, in the order in which their tags are kept.
    """

    def __init__(self, core: Core, order: Order, subjects: tuple[Subject, ...]) -> None:
        self._core = core
        self._order = order
        self._subjects = subjects

    def lasts(self, at_ms: int) -> bool:
        """Tell whether the order still lasts at a time (milliseconds since the Unix epoch)."""
        return at_ms < self._order.until_ms

    def holds(self, epoch_id: str) -> bool:
        """Tell whether the order keeps tags of an epoch."""
        with self._core.database.reading() as connection:
            return orders.tags(connection, self._order.id, epoch_id) is not None

    def tags(self, epoch_id: str, subjects: tuple[Subject, ...]) -> tuple[bytes, ...]:
        """Return the kept tags of some of the order's subjects in one epoch."""
        with self._core.database.reading() as connection:
            kept = orders.tags(connection, self._order.id, epoch_id)
        if kept is None:
            return ()
        job = jobs.OpenTags(
            mesh=self._core.mesh, order=wrapped_key(self._order), epoch=bytes.fromhex(epoch_id), kept=kept
        )
        every = jobs.Tags.model_validate_json(self._core.opener.run(job.encode())).tags
        by_subject = dict(zip(self._subjects, every, strict=True))
        return tuple(by_subject[one] for one in subjects)

    def place(self, record_digest: bytes) -> tuple[jobs.KeptBatch, int] | None:
        """Return where the key of a record lies, if the order keeps it.

        Args:
            record_digest: SHA-256 of the whole roster record or of the header.
        """
        with self._core.database.reading() as connection:
            found = orders.key(connection, self._order.id, record_digest)
        if found is None:
            return None
        batch = jobs.KeptBatch(order=wrapped_key(self._order), batch=found.batch, kept=found.kept)
        return batch, found.position


def wrapped_key(order: Order) -> jobs.Wrapped:
    """Return an order's wrapped key, for a job."""
    return jobs.Wrapped(kind=ORDER, id=order.id, wrapped=order.wrapped_key)


def find_preserved(core: Core, claims: Disclosure | Preservation) -> Preserved | None:
    """Return the order in force that a court's document lies inside, if there is one.

    Inside means: of the same authority and case number, no subject and no time that the order lacks. An order
    that was revoked, or whose case was cancelled, serves nobody. A disclosure is served by any order, a
    preservation only by an emergency request, which it confirms: no order of a court outlives its own end.
    An emergency request is served by nothing, so that it never prolongs another.

    Args:
        core: Custody's means.
        claims: What the document says, which court and chief investigator signed.
    """
    subjects, period = subjects_of(claims), period_of(claims)
    now_ms = core.clock.now_ms()
    with core.database.reading() as connection:
        candidates = [
            one
            for one in orders.of_case(connection, claims.authority, claims.case_number)
            if one.until_ms > now_ms
            and stopping.stopped(connection, one.document_digest) is None
            and (known := objects.find(connection, ORDER, one.id)) is not None
            and known.state == "alive"
        ]
    for order in candidates:
        kept = order_claims(order)
        if isinstance(claims, Preservation) and not isinstance(kept, EmergencyPreservation):
            continue
        whole = period_of(kept)
        inside = whole.start <= period.start and period.end <= whole.end
        if inside and set(subjects) <= set(subjects_of(kept)):
            return Preserved(core, order, subjects_of(kept))
    return None


def order_claims(order: Order) -> Keeping:
    """Return what an order says, from the payload that custody verified and kept."""
    claims = read_claims(order.payload)
    assert isinstance(claims, Keeping)  # noqa: S101 - only verified orders are kept
    return claims
