"""Warrants with real tables and a real ledger, around fake peers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from garim.documents import jws
from garim.documents.formats import open_document
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit.convert import Received
from garim.kit.identity import Peer, parse_spiffe_id, service_id
from garim.kit.ledger import Ledger
from garim.kit.policy_files import KeptPolicies
from garim.kit.revocation_lists import RevocationLists
from garim.statements import subjects
from garim.statements.decisions import Action
from garim.statements.dsse import Envelope
from garim.testing import documents
from garim.testing.audit import FakeAuditCaller
from garim.testing.operator import MESH, FakeCustody, FakeMessages, SampleOperator
from garim.testing.pki import DocumentPki
from garim.translog.leaf import Leaf, parse_leaf
from garim.warrants.cases import Case
from garim.warrants.means import Means, Policies
from garim.warrants.service import Submitted, Warrants
from garim.warrants.tables import CaseTables, noting_in
from kit_support.engines import open_database

NOW = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
POLICY = resources.files("garim.documents").joinpath("kr.yaml").read_bytes()


def person(role: str, name: str) -> Peer:
    return parse_spiffe_id(f"spiffe://{MESH}/person/{role}/{name}", MESH)


CLERK = person("clerk", "da-on")


def reviewer(name: str) -> Peer:
    return person("reviewer", name)


def received(content: bytes, attachments: Iterable[bytes] = ()) -> Received:
    return Received(JWS_MEDIA_TYPE, content, tuple(attachments))


@dataclasses.dataclass
class Desk:
    """One running service; `restart` gives another one on the same database."""

    folder: Path
    operator: SampleOperator
    policy: bytes = POLICY
    kept_policies: list[bytes] = dataclasses.field(default_factory=lambda: [POLICY])
    counts: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.custody = FakeCustody(self.operator)
        self.messages = FakeMessages(self.operator)
        self.crls = self.folder / "crls"
        self.crls.mkdir(exist_ok=True)
        for position, crl in enumerate(self.operator.pki.crls):
            (self.crls / f"{position}.crl").write_bytes(crl)
        self._open()

    def _open(self) -> None:
        clock = self.operator.clock
        self.database = open_database(self.folder / "warrants.db", "warrants")
        self.caller = FakeAuditCaller(self.operator.audit, service_id(MESH, "warrants"))
        self.ledger = Ledger(
            self.caller,
            governance=self.operator.governance,
            actor=service_id(MESH, "warrants"),
            database=self.database,
            clock=clock,
            random_bytes=secrets.token_bytes,
        )
        self.tables = CaseTables(self.database, noting_in(self.ledger), clock, lambda *_: None)
        self.means = Means(
            mesh=MESH,
            governance=self.operator.governance,
            policies=Policies(lambda: self.policy, KeptPolicies(lambda: list(self.kept_policies))),
            store=self.tables,
            log=self.ledger,
            custody=self.custody,
            messages=self.messages,
            open_document=open_document,
            crls=RevocationLists(self.crls, self.database, clock).at_hand,
            sign=self.operator.keys["warrants", "warrants"].sign,
            clock=clock,
            draw=secrets.token_bytes,
        )
        self.warrants = Warrants(self.means, self._count)

    def _count(self, event: str, reason: str) -> None:
        self.counts[event, reason] += 1

    def restart(self, **changes: Any) -> None:
        """Open the same database again; `changes` replace means, as a crash at one step would."""
        self.database.close()
        self._open()
        if changes:
            self.means = dataclasses.replace(self.means, **changes)
            self.warrants = Warrants(self.means, self._count)

    def close(self) -> None:
        self.database.close()

    @property
    def pki(self) -> DocumentPki:
        return self.operator.pki

    def signed(self, members: dict[str, Any]) -> bytes:
        return documents.signed(self.pki, members)

    def submit(self, content: bytes, attachments: Iterable[bytes] = (), filer: Peer = CLERK) -> Submitted:
        return self.warrants.submit(received(content, attachments), filer)

    def open_case(self, content: bytes, attachments: Iterable[bytes] = ()) -> Case:
        done = self.submit(content, attachments)
        assert done.case is not None, done.reasons
        return done.case

    def reasons(self, content: bytes, attachments: Iterable[bytes] = ()) -> list[str]:
        done = self.submit(content, attachments)
        assert done.case is None
        return [one.reason for one in done.reasons]

    def disclosure(self, **changes: Any) -> bytes:
        return self.signed(documents.disclosure(self.pki, **changes))

    def supplementary(self, first: Case, **changes: Any) -> tuple[bytes, list[bytes]]:
        """Return a second request for one pseudonym of a case, with its sealed identity."""
        sealed = b"sealed identity of nobody"
        members = documents.supplementary(self.pki, first_document=first.identity.digest)
        members["identities"][0]["sealed_sha256"] = hashlib.sha256(sealed).hexdigest()
        return self.signed(members | changes), [sealed]

    def review_subject(self, case: Case) -> str:
        shown = self.warrants.show(case.id)
        return shown.review_subject

    def review(self, case: Case, name: str, action: Action = "review-approve", **changes: Any) -> Envelope:
        return self.operator.decision(name, action, self.review_subject(case), **changes)

    def cancel(self, case: Case, name: str = "ra-on", **changes: Any) -> Envelope:
        subject = subjects.cancel(case.id, case.identity.digest)
        return self.operator.decision(name, "cancel", subject, **changes)

    def leaves(self, kind: str | None = None) -> list[Leaf]:
        """Return what stands in the log, after what was put off is logged."""
        self.ledger.flush()
        parsed = [parse_leaf(leaf) for leaf in self.operator.audit.leaves]
        return [leaf for leaf in parsed if kind in {None, leaf.type}]


def payload_of(content: bytes) -> bytes:
    return jws.open_envelope(content).payload


class StopError(Exception):
    """The process dies here."""


def dies(*_: object, **__: object) -> Any:
    raise StopError


# Each takes a call's name and returns what stands in its place, so that one test walks all steps.


def dying_before(_name: str) -> Callable[[Callable[..., Any]], Any]:
    return lambda _call: dies


def dying_after(_name: str) -> Callable[[Callable[..., Any]], Any]:
    """The call does its work, and then the process dies before it hears of it."""

    def around(call: Callable[..., Any]) -> Any:
        def run(*arguments: Any, **named: Any) -> Any:
            call(*arguments, **named)
            raise StopError

        return run

    return around


def dying_at_second(_name: str) -> Callable[[Callable[..., Any]], Any]:
    """The call works once, and the process dies at the second one."""
    calls = 0

    def around(call: Callable[..., Any]) -> Any:
        def run(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise StopError
            return call(*arguments, **named)

        return run

    return around
