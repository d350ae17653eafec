"""Fields that a back end fills freely carry nothing out; a store's block stays within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from garim.api.messages.v1 import messages_pb2 as pb
from garim.redaction.attempt import blocks
from garim.redaction.attempt.people import people_of
from garim.sealing import segment
from garim.sealing.secret import Secret
from garim.statements.refusal import RefusedError
from garim.statements.roster import RosterMember
from redaction_support.scope import DAON, HANEUL, HOUR, MARU, NOW, Scope, text

T = NOW - HOUR


@pytest.fixture
def scope() -> Scope:
    return Scope()


def photo(media_type: str, sha256: bytes) -> pb.ChatMessage:
    message = text(T, HANEUL, "", pb.MESSAGE_KIND_PHOTO)
    message.attachment.CopyFrom(pb.Attachment(media_type=media_type, size=7, sha256=sha256))
    return message


def attached(scope: Scope, folder: Path, media_type: str, sha256: bytes) -> tuple[str, str]:
    epoch = scope.epoch()
    scope.put(epoch, scope.room(epoch, "room-1", (DAON, HANEUL, MARU)), [photo(media_type, sha256)])
    (line,) = scope.made(folder).opened.messages()
    assert line.attachment is not None
    return line.attachment.media_type, line.attachment.sha256


def test_a_media_type_leaves_as_it_is(scope: Scope, tmp_path: Path) -> None:
    assert attached(scope, tmp_path, "image/jpeg", b"\1" * 32) == ("image/jpeg", "01" * 32)


def test_no_text_leaves_as_a_media_type(scope: Scope, tmp_path: Path) -> None:
    assert attached(scope, tmp_path, "한하늘/사진", b"\1" * 32)[0] == "application/octet-stream"


def test_nothing_but_a_digest_leaves_as_a_digest(scope: Scope, tmp_path: Path) -> None:
    assert attached(scope, tmp_path, "image/png", "한하늘".encode())[1] == "00" * 32


def test_no_account_can_pose_as_a_name_that_is_in_no_roster() -> None:
    people = people_of([RosterMember("name:김하나", ("둘",))], [])
    assert not people["name:김하나"].key.startswith("name:")


def test_a_block_that_states_more_than_any_block_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_BLOCK", 100)
    bomb = zstandard.ZstdCompressor(write_content_size=True).compress(bytes(200))
    with Secret.random() as root:
        header = segment.SegmentHeader(bytes(16), bytes(32), bytes(32), bytes(32), T, T, T, T, 1, 1).encode()
        sealed = segment.BlockSealer(root, "m").seal(header, bomb)
        key = segment.segment_key(root, "m", header)
        with pytest.raises(RefusedError, match="larger than any block"):
            blocks.open_messages(key, segment.SegmentHeader.decode(header), header, sealed)
