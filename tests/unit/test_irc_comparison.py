from __future__ import annotations

from pathlib import Path

import pytest

from e2e_support.irc import Findings, Room, compare
from garim.dossier.lines import Mask, MessageLine, Sender
from garim.dossier.opening import OpenedDossier
from garim.dossier.times import rfc3339
from garim.importers import Message
from garim.importers.events import Kind

PSEUDONYM = "P-7K4Q2-M9XAT"
SUBJECT = "irc:daon"
ROOM = Room(
    Path("room"),
    (
        Message(1_000, SUBJECT, Kind.TEXT, "garam: the disk is full"),
        Message(2_000, "irc:garam", Kind.TEXT, "thanks"),
    ),
    (
        {"id": "room:0", "spans": [{"start": 0, "end": 5, "text": "garam", "tier": "addressed"}]},
        {"id": "room:1", "spans": []},
    ),
    ("", ""),
    frozenset({SUBJECT, "irc:garam"}),
    {},
)
OURS = Sender(pseudonym=None, account=SUBJECT, name="daon", commitment=None)
THEIRS = Sender(pseudonym=PSEUDONYM, account=None, name=None, commitment="0c" * 32)
MASKED = f"{PSEUDONYM}: the disk is full"


def line(at: int, sender: Sender, text: str) -> MessageLine:
    start = text.find(PSEUDONYM)
    masks = (
        (
            Mask(
                start=start,
                end=start + len(PSEUDONYM),
                pseudonym=PSEUDONYM,
                type="PERSON",
                commitment="0c" * 32,
            ),
        )
        if start >= 0
        else ()
    )
    return MessageLine(
        number=f"C1-000{at // 1000}",
        at=at,
        time=rfc3339(at),
        sender=sender,
        kind="text",
        text=text,
        masks=masks,
        attachment=None,
    )


def found(folder: Path, first: str, second: Sender = THEIRS, page: str = "") -> Findings:
    (folder / "transcript").mkdir()
    (folder / "transcript" / "C1-1.html").write_text(page, encoding="utf-8")
    about = b'{"format":"garim-dossier/1","opaque":0,"dossier":"d","authority":"a","case_number":"c"'
    about += b',"number":"n","period_start":0,"period_end":9,"mode":"sealed"}'
    (folder / "about.json").write_bytes(about)
    lines = [line(1_000, OURS, first), line(2_000, second, "thanks")]
    (folder / "messages.jsonl").write_bytes(b"".join(one.to_bytes() + b"\n" for one in lines))
    return compare(ROOM, SUBJECT, OpenedDossier(folder))


def test_a_masked_dossier_is_clean(tmp_path: Path) -> None:
    clean = found(tmp_path, MASKED, page=f"<p>{PSEUDONYM}: the disk is full</p>")
    assert clean.clean
    assert (clean.lines, clean.subject_lines, clean.addressed) == (2, 1, 1)


def test_a_mention_that_was_left_is_found_by_its_place_and_as_a_word(tmp_path: Path) -> None:
    left = found(tmp_path, "garam: the disk is full")
    assert left.standing == [("room:0", "garam")]
    assert left.nicks == [("C1-0001", "garam")]


def test_a_nick_in_a_page_alone_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, MASKED, page="<p><b>Garam</b>: thanks</p>").nicks == [("C1-1.html", "Garam")]


@pytest.mark.parametrize("page", ["<a href='irc:garam'>", "irc:garam"])
def test_a_bystanders_id_is_found_in_any_file(tmp_path: Path, page: str) -> None:
    assert found(tmp_path, MASKED, page=page).senders == ["C1-1.html"]


def test_a_bystander_with_a_name_beside_the_pseudonym_is_found(tmp_path: Path) -> None:
    named = Sender(pseudonym=PSEUDONYM, account=None, name="G", commitment="0c" * 32)
    assert found(tmp_path, MASKED, named).senders == ["C1-0002"]


def test_a_subjects_line_changed_outside_a_mask_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, f"{PSEUDONYM}: the disk was full").changed == ["C1-0001"]
