"""Warrants keeps its promises on either engine, as a role that may do no more than it does."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.operator import SampleOperator
from garim.testing.pki import DocumentPki, make_pki
from garim.warrants.cases import Case
from garim.warrants.machine import State
from warrants_support.desk import NOW, POLICY, Desk, reviewer
from warrants_support.steps import Others


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def desk(engine: str, tmp_path: Path, pki: DocumentPki) -> Iterator[Desk]:
    opened = Desk(tmp_path, SampleOperator(pki, POLICY))
    yield opened
    opened.close()


@pytest.fixture
def others(desk: Desk, tmp_path: Path) -> Iterator[Others]:
    opened = Others(desk, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def granted(desk: Desk) -> Case:
    der = desk.pki.chief.certificate.public_bytes(serialization.Encoding.DER)
    return desk.open_case(desk.disclosure(acknowledger=hashlib.sha256(der).hexdigest()))


def test_a_case_goes_its_whole_way_and_is_the_same_after_a_restart(
    desk: Desk, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    desk.warrants.handling.acknowledged(granted.id, others.acknowledgement())
    content, sealed = desk.supplementary(others.now(granted))
    assert desk.submit(content, sealed).case is not None
    before = others.now(granted)
    assert before.state is State.ACKNOWLEDGED
    desk.restart()
    assert others.now(granted) == before
    assert desk.open_case(granted.document.content) == before


def test_reviewers_decide_once_each_and_a_revocation_ends_the_case(desk: Desk, others: Others) -> None:
    desk.messages.changes = {"bystanders": 200}
    case = desk.open_case(desk.disclosure())
    for name in ("ra-on", "ra-on", "sol-bi"):
        with contextlib.suppress(RefusedError):
            desk.warrants.decide(case.id, desk.review(case, name), reviewer(name))
    assert [one.person for one in others.now(case).decisions] == ["ra-on", "sol-bi"]
    assert others.now(case).state is State.GRANTED
    desk.open_case(desk.signed(documents.revocation(desk.pki, case.payload)))
    assert others.now(case).state is State.CANCELLED


def test_a_document_is_claimed_once_and_a_refused_one_is_kept(desk: Desk) -> None:
    first = desk.open_case(desk.disclosure())
    assert desk.open_case(first.document.content).id == first.id
    assert desk.reasons(desk.disclosure(case_number="2026형제99999")) == ["DOCUMENT_NUMBER_USED"]


def test_cases_are_listed_newest_first_in_pages_that_new_cases_do_not_shift(desk: Desk) -> None:
    numbers = [f"2026-압수-{number:04}" for number in range(3)]
    for number in numbers:
        desk.open_case(desk.disclosure(number=number))
    page, token = desk.warrants.page(frozenset(State), 2, "")
    desk.open_case(desk.disclosure(number="2026-압수-9999"))
    rest, _ = desk.warrants.page(frozenset(State), 2, token)
    assert [one.identity.number for one in [*page, *rest]] == numbers[::-1]
