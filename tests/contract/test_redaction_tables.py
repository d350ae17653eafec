"""Redaction keeps its promises on either engine, as a role that may do no more than it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.redaction.attempt.job import Held
from redaction_support.office import CASE, Office, hold, packs, stages


@pytest.fixture
def office(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = Office(tmp_path, monkeypatch)
    yield made
    made.close()


def test_a_build_is_made_once_and_known_after_a_restart(office: Office) -> None:
    office.build()
    office.start()
    assert stages(office)[-1] == "CLOSED"
    assert len(office.jobs) == len(office.closed) == 1


def test_a_held_build_goes_on_with_two_reviewers_lifts(office: Office) -> None:
    office.scripts = [lambda _: iter([Held(holds=(hold(),))]), packs]
    assert stages(office)[-1] == "HELD"
    for person, count in (("ra-on", 1), ("sol-bi", 2)):
        decision = office.operator.decision(
            person, "lift", office.holds.state(CASE).subject, key=office.operator.reviewer_keys[person]
        )
        assert office.holds.lift(CASE, decision, person).lifts == count
    assert stages(office)[-1] == "CLOSED"
