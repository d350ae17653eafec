"""Nothing of what surrounds a text leaves: titles, ids, captions, notices, profiles, order, lengths.

Each test looks through every byte of the unpacked package, the transcript included.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.statements.roster import RosterMember
from redaction_support.scope import DAON, HANEUL, HOUR, MARU, NOW, Dossier, Scope, text

T = NOW - HOUR
NAME = "한하늘"


@pytest.fixture
def scope() -> Scope:
    return Scope()


def made(
    scope: Scope, folder: Path, *messages: pb.ChatMessage, title: str = "", room: str = "room-1"
) -> Dossier:
    epoch = scope.epoch()
    scope.put(epoch, scope.room(epoch, room, (DAON, HANEUL, MARU), title), messages)
    return scope.made(folder)


def everything(dossier: Dossier) -> str:
    """All that an authority can read, names of files included."""
    folder = dossier.opened.folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    whole = "\n".join(f"{path.relative_to(folder)}\n{path.read_text(encoding='utf-8')}" for path in files)
    return unicodedata.normalize("NFC", whole)


def test_the_search_sees_what_does_leave(scope: Scope, tmp_path: Path) -> None:
    assert "다온" in everything(made(scope, tmp_path, text(T, DAON, "안녕")))


def test_no_title_and_no_id_of_a_room_leaves(scope: Scope, tmp_path: Path) -> None:
    dossier = made(
        scope, tmp_path, text(T, DAON, "안녕"), title="하늘이네 낚시 모임", room="kakao:비밀낚시방"
    )
    whole = everything(dossier)
    assert "낚시" not in whole
    assert "kakao:" not in whole


@pytest.mark.parametrize(
    "kind",
    [pb.MESSAGE_KIND_PHOTO, pb.MESSAGE_KIND_FILE, pb.MESSAGE_KIND_JOINED, pb.MESSAGE_KIND_LEFT],
)
def test_captions_and_notices_are_masked_as_texts_are(scope: Scope, tmp_path: Path, kind: int) -> None:
    said = f"{NAME}님과 함께, 010-0000-4416"
    whole = everything(made(scope, tmp_path, text(T, MARU, said, kind), text(T + 1, DAON, said, kind)))
    assert NAME not in whole
    assert "4416" not in whole


def test_a_bystanders_new_name_does_not_leave_and_a_subjects_does(scope: Scope, tmp_path: Path) -> None:
    renamed = pb.MESSAGE_KIND_RENAMED
    whole = everything(
        made(
            scope,
            tmp_path,
            text(T, HANEUL, "새벽바다요정", renamed),
            text(T + 1, DAON, "다온이요정", renamed),
        )
    )
    assert "새벽바다요정" not in whole
    assert "요정" in whole


def test_no_account_phone_or_address_of_a_bystander_leaves(scope: Scope, tmp_path: Path) -> None:
    whole = everything(made(scope, tmp_path, text(T, HANEUL, "안녕"), text(T + 1, DAON, "그래")))
    for value in (HANEUL.account, MARU.account, "00000002", "haneul", *HANEUL.names, *MARU.names):
        assert value not in whole
    assert DAON.account in whole


def test_no_id_of_the_store_leaves(scope: Scope, tmp_path: Path) -> None:
    whole = everything(made(scope, tmp_path, text(T, HANEUL, "안녕"), text(T + 1, DAON, "그래")))
    for epoch in scope.epochs:
        for one in (epoch.id, epoch.kept.id, *epoch.rosters, *(kept.conversation for kept in epoch.segments)):
            assert one.hex() not in whole


def test_messages_and_attachments_have_no_field_for_more() -> None:
    """A file's name, a link's preview, a profile or a picture's EXIF has no place in what is stored."""
    fields = {one.name for one in pb.ChatMessage.DESCRIPTOR.fields}
    assert fields == {"sent_at_ms", "sender", "kind", "text", "attachment", "opaque"}
    assert {one.name for one in pb.Attachment.DESCRIPTOR.fields} == {"media_type", "size", "sha256"}
    members = {one.name for one in dataclasses.fields(RosterMember)}
    assert members == {"account", "names", "phones", "emails"}


def test_the_order_of_pseudonyms_says_nothing_of_who_came_first(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epoch()
    crowd = [RosterMember(f"acct-1{at:04d}", (f"가나다라{at:04d}",)) for at in range(24)]
    room = scope.room(epoch, "room-1", (DAON, *crowd))
    scope.put(epoch, room, [text(T + at, one, "안녕") for at, one in enumerate(crowd)])
    orders = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        dossier = scope.made(tmp_path / name)
        listed = [one.pseudonym for one in dossier.opened.identities()]
        assert listed == sorted(listed)
        known = dossier.identities()
        orders.append([known[one]["account"] for one in listed if known[one]["type"] == "PERSON"])
    assert sorted(orders[0]) == sorted(orders[1])
    # By chance equal once in 24! packages.
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_a_sealed_identitys_length_tells_no_names_length(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epoch()
    short, long = RosterMember("acct-5", ("나래",)), RosterMember("acct-66666666", ("아주아주긴이름" * 6,))
    scope.put(
        epoch,
        scope.room(epoch, "room-1", (DAON, short, long)),
        [text(T, short, "안녕"), text(T + 1, long, "그래")],
    )
    assert len({len(one.sealed) for one in scope.made(tmp_path).opened.identities()}) == 1
