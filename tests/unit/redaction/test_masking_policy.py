"""An attempt masks names and shows times as the policy in its grant says, and the package says which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from garim.dossier import verification
from garim.masking.open_names import morphemes
from garim.statements.grants import Masking, TimeUnit
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError
from redaction_support.scope import DAON, DAY, DOSSIER, GRANT, HANEUL, HOUR, NOW, Dossier, Scope, text

T = NOW - DAY + 10 * HOUR
SAID = "한하늘씨, 홍길순 과장님 번호는 010-0000-7001 입니다"
# From one morning to the next in Korea, over a minute, an hour and midnight.
SENT = (T, T + 1, T + 59_999, T + 3_599_000, T + 3_600_001, T + 5 * HOUR, T + 13 * HOUR)
PLACES = {"exact": 0, "minute": 60_000, "hour": HOUR, "day": DAY}


def made(folder: Path, **masking: str) -> Dossier:
    scope = Scope()
    epoch = scope.epoch()
    room = scope.room(epoch, "room-1", [DAON, HANEUL])
    for at in SENT:
        scope.put(epoch, room, [text(at, DAON, SAID)])
    return scope.made(folder, masking=masking)


def receipt_of(dossier: Dossier, masking: Masking) -> DossierReceipt:
    packed = dossier.packed
    return DossierReceipt.model_construct(
        dossier=DOSSIER.hex(),
        grant=GRANT,
        authority="가온지방검찰청",
        case_number="2026형제1",
        mode="sealed",
        identities_root=packed.identities_root,
        identities=packed.identities,
        messages_root=packed.messages_root,
        messages=packed.figures.messages,
        masking=masking,
    )


def pages(dossier: Dossier) -> dict[str, str]:
    folder = dossier.opened.folder / "transcript"
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_by_default_people_in_no_roster_are_masked_too(tmp_path: Path) -> None:
    dossier = made(tmp_path)
    assert not any("홍길순" in one for one in dossier.texts())
    assert (dossier.opened.about.names, dossier.opened.about.times) == ("all-persons", "exact")


def test_roster_and_identifiers_leaves_other_names_and_never_loads_the_analyser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded() -> None:
        raise AssertionError

    monkeypatch.setattr(morphemes, "_analyser", loaded)
    dossier = made(tmp_path, names="roster+identifiers")
    for one in dossier.texts():
        assert "홍길순 과장님" in one
        assert "한하늘" not in one
        assert "7001" not in one
    assert dossier.opened.about.names == "roster+identifiers"
    assert "participants only" in pages(dossier)["index.html"]


@pytest.mark.parametrize("unit", ["minute", "hour", "day"])
def test_no_time_is_shown_more_exactly_than_policy_allows(tmp_path: Path, unit: TimeUnit) -> None:
    dossier = made(tmp_path, times=unit)
    lines = list(dossier.opened.messages())
    assert [line.number for line in lines] == [f"C1-{place:04d}" for place in range(1, len(SENT) + 1)]
    shown = [line.at for line in lines]
    assert shown == sorted(shown)
    korea = 9 * HOUR
    assert all((at + korea) % PLACES[unit] == 0 for at in shown)
    assert all(0 <= sent - at < PLACES[unit] for sent, at in zip(SENT, shown, strict=True))
    assert all(line.time.endswith(":00.000Z") for line in lines)
    room = pages(dossier)["C1-1.html"]
    assert re.search(r"\d\d:\d\d:\d\d", room) is None
    assert (re.search(r"\d\d:\d\d", room) is None) == (unit != "minute")
    assert (re.search(r"\d\d시", room) is None) == (unit != "hour")


def test_messages_of_one_day_stay_on_it(tmp_path: Path) -> None:
    days = [
        re.findall(r'<h2 class="day">(.{10})', pages(made(folder, times=unit))["C1-1.html"])
        for unit in ("exact", "day")
        if (folder := tmp_path / unit).mkdir() is None
    ]
    assert days[0] == days[1]
    assert len(days[0]) > 1


@pytest.mark.parametrize("unit", PLACES)
def test_what_is_shown_is_what_the_receipt_commits_to(tmp_path: Path, unit: TimeUnit) -> None:
    dossier = made(tmp_path, times=unit)
    masking = Masking(times=unit)
    verification.verify_opened(dossier.opened, receipt_of(dossier, masking))
    assert verification.verify_originals(dossier.opened, dossier.released()) == 3 * len(SENT)
    other = Masking(names="roster+identifiers", times=unit)
    with pytest.raises(RefusedError, match="PACKAGE_DOSSIER"):
        verification.verify_opened(dossier.opened, receipt_of(dossier, other))


def test_a_policy_shows_more_than_another_where_anything_of_it_does() -> None:
    strict = Masking(names="all-persons", times="hour")
    assert not strict.shows_more_than(strict)
    assert not Masking(times="day").shows_more_than(strict)
    assert Masking(times="minute").shows_more_than(strict)
    assert Masking(names="roster+identifiers", times="day").shows_more_than(strict)
    assert not strict.shows_more_than(Masking(names="roster+identifiers"))
