"""Preservation orders: keys and tags kept past retention under the order's own object.

An emergency request keeps the same way until its own end, 36 hours from its issue at most. What a court's
order of the same case, inside its scope, finds kept under it, the order takes over under its own object; the
emergency's object is destroyed at its end whatever follows.
"""

from __future__ import annotations

import hashlib

from garim.custody import jobs
from garim.custody.checks import LoggedGrant, demand_policy, verified_document, verified_grant
from garim.custody.core import Core
from garim.custody.evidence import Scope
from garim.custody.gate import demand_granted, demand_running
from garim.custody.kinds import ORDER
from garim.custody.preserved import Preserved, find_preserved, wrapped_key
from garim.custody.releases import Judged, Records, demand_retained, judge_records
from garim.custody.scopes import demand_preservation
from garim.custody.tables import dossiers, objects, orders
from garim.custody.tables.orders import Order
from garim.custody.tagging import RecentTags
from garim.documents.claims import Keeping, Preservation, document_id, read_claims
from garim.documents.scope import period_of, subjects_of
from garim.documents.verify import VerifiedDocument
from garim.kit.convert import Logged, Received
from garim.sealing import released
from garim.statements import strict_json
from garim.statements.grants import PreservationGrant
from garim.statements.refusal import Kind, RefusedError

ID_BYTES = 16


class PreservationOrders:
    """Keeps what preservation orders cover.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tags = RecentTags(core)

    def preserve(self, received: Received, logged: Logged, records: Records) -> int:
        """Keep the keys of every record, or none; checked as a release.

        Args:
            received: The preservation order.
            logged: Its grant with the log proof.
            records: What shows that they may be kept.

        Returns:
            How many segments' keys the order keeps altogether.

        Raises:
            RefusedError: Those of documents; `GRANT_SCOPE`, `STATEMENT_*`, `POLICY_*`, `DOCUMENT_USED`,
                `ORDER_ENDED`, `CASE_STATE`, `CASE_STATUS`, `FROZEN`, `DOCUMENT_REVOKED`, `KEY_*`, `LOG_*`.
        """
        core = self._core
        document, claims = verified_document(core, received, Keeping)
        with core.database.reading() as connection:
            demand_running(connection, document.digest)
        grant, proven = verified_grant(core, logged, PreservationGrant, "preservation-granted")
        demand_preservation(grant, document, claims)
        demand_policy(core, grant, claims, proven.leaf.time_ms)
        _demand_lasting(claims, core.clock.now_ms())
        scope = Scope(period_of(claims), claims.issued_ms)
        earlier = find_preserved(core, claims) if isinstance(claims, Preservation) else None
        judged = judge_records(core, records, scope, subjects_of(claims), earlier, self._tags.of)
        demand_granted(core, document.digest, grant.case)
        order = self._order(document, claims, grant, proven)
        logged_ms = self._log(order, records)
        _demand_lasting(claims, logged_ms)
        demand_retained(core, judged.epochs, logged_ms, earlier)
        return self._keep(order, claims, judged, earlier)

    def _order(
        self,
        document: VerifiedDocument,
        claims: Keeping,
        grant: PreservationGrant,
        proven: LoggedGrant,
    ) -> Order:
        """Return the order of this payload under this grant, made now where it is new."""
        known = self._known(document, proven)
        if known is not None:
            return known
        core = self._core
        order_id = core.draw(ID_BYTES).hex()
        with core.database.writing() as connection:
            objects.add(connection, ORDER, order_id, claims.until_ms, "order ended")
        core.provider.create_object(ORDER, order_id)
        job = jobs.MakeOrder(mesh=core.mesh, id=order_id)
        wrapped = jobs.Sealed.model_validate_json(core.opener.run(job.encode())).sealed
        identity = document.identity
        order = Order(
            id=order_id,
            document_digest=document.digest,
            payload=document.payload,
            grant_digest=proven.digest,
            case_id=grant.case,
            authority=identity.authority,
            case_number=identity.case_number,
            until_ms=claims.until_ms,
            wrapped_key=wrapped,
        )
        with core.database.writing() as connection:
            demand_running(connection, document.digest)
            used = dossiers.used_for(
                connection, digest=document.digest, authority=identity.authority, number=identity.number
            )
            if used is None:
                orders.add(connection, order)
                dossiers.use_document(
                    connection,
                    digest=document.digest,
                    authority=identity.authority,
                    number=identity.number,
                    kind="preservation",
                    target=order_id,
                )
                return order
            objects.end(connection, ORDER, order_id, core.clock.now_ms(), "superseded")
        return self._known(document, proven) or order

    def _known(self, document: VerifiedDocument, proven: LoggedGrant) -> Order | None:
        identity = document.identity
        with self._core.database.reading() as connection:
            used = dossiers.used_for(
                connection, digest=document.digest, authority=identity.authority, number=identity.number
            )
            order = orders.of_document(connection, document.digest)
        if used is None:
            return None
        if order is None or order.id != used or order.grant_digest != proven.digest:
            raise RefusedError(
                "DOCUMENT_USED", "the document, or its number, was used for something else", kind=Kind.EXISTS
            )
        return order

    def _log(self, order: Order, records: Records) -> int:
        keys = len(records.rosters) + len(records.headers)
        digest = released.request_digest(records.rosters, records.headers).hex()
        identity = document_id(read_claims(order.payload), order.document_digest)
        body = strict_json.dump(
            {
                "document": identity.to_json(),
                "keys": keys,
                "order": order.id,
                "records": digest,
                "until": order.until_ms,
            }
        )
        key = hashlib.sha256(body).hexdigest()
        return self._core.journal.append("keys-preserved", body, key=key, magnitudes={"keys": keys}).time_ms

    def _keep(self, order: Order, claims: Keeping, judged: Judged, earlier: Preserved | None) -> int:
        """Keep the tags of each epoch and the keys that are not kept yet."""
        core = self._core
        batch = core.draw(ID_BYTES)
        records = [(one.digest, False) for one in judged.evidence.rosters] + [
            (hashlib.sha256(one.encoded).digest(), True) for one in judged.evidence.headers
        ]
        with core.database.reading() as connection:
            kept = orders.kept_digests(connection, order.id, [digest for digest, _ in records])
        fresh = [number for number, (digest, _) in enumerate(records) if digest not in kept]
        # A record named twice in one request has one key.
        fresh = list({records[number][0]: number for number in fresh}.values())
        tags = {
            epoch_id: self._kept_tags(order, claims, judged, epoch_id, earlier) for epoch_id in judged.epochs
        }
        sealed = self._kept_keys(order, judged, batch, fresh) if fresh else None
        with core.database.writing() as connection:
            demand_running(connection, order.document_digest)
            for epoch_id, blob in tags.items():
                orders.keep_tags(connection, order.id, epoch_id, blob)
            if sealed is not None:
                orders.keep_batch(connection, order.id, batch, sealed, [records[one] for one in fresh])
            return orders.segments(connection, order.id)

    def _kept_keys(self, order: Order, judged: Judged, batch: bytes, fresh: list[int]) -> bytes:
        wanted = tuple(judged.sources.wanted[number] for number in fresh)
        job = jobs.KeepKeys(
            mesh=self._core.mesh,
            order=wrapped_key(order),
            batch=batch,
            sources=judged.sources.model_copy(update={"wanted": wanted}),
        )
        return jobs.Sealed.model_validate_json(self._core.opener.run(job.encode())).sealed

    def _kept_tags(
        self, order: Order, claims: Keeping, judged: Judged, epoch_id: str, earlier: Preserved | None
    ) -> bytes:
        subjects = subjects_of(claims)
        if earlier is not None and earlier.holds(epoch_id):
            tags = earlier.tags(epoch_id, subjects)
        else:
            tags = self._tags.of(judged.epochs[epoch_id], subjects)
        job = jobs.KeepTags(
            mesh=self._core.mesh,
            order=wrapped_key(order),
            epoch=bytes.fromhex(epoch_id),
            tags=tags,
        )
        return jobs.Sealed.model_validate_json(self._core.opener.run(job.encode())).sealed


def _demand_lasting(claims: Keeping, at_ms: int) -> None:
    if at_ms >= claims.until_ms:
        raise RefusedError("ORDER_ENDED", "the preservation order has ended", kind=Kind.PRECONDITION)
