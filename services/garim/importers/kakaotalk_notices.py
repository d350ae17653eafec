"""What KakaoTalk itself writes into a chat: who came and went, deletions, and stand-ins for media."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from garim.importers.events import Kind


class Change(enum.Enum):
    """What a notice says."""

    IN = "in"
    OUT = "out"
    DELETED = "deleted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was understood.

    Args:
        change: What it says.
        names: Whom it is about: who came in or went.
        actor: Who invited or removed them, where it says so.
    """

    change: Change
    names: tuple[str, ...] = ()
    actor: str = ""


_ROOM = "(?:this|the) (?:chatroom|chat room|chat)"
_INVITED = (
    re.compile(r"(?:(?P<actor>.+?)님이 )?(?P<names>.+)님을 초대(?:하였|했)습니다\.?"),
    re.compile(rf"(?P<actor>.+?) invited (?P<names>.+?)(?: to {_ROOM})?\."),
)
_CAME = (
    re.compile(r"(?P<names>.+)님이 (?:들어왔|들어오셨|입장하였|입장했)습니다\.?"),
    re.compile(rf"(?P<names>.+?) (?:has )?(?:joined|entered)(?: {_ROOM})?\."),
)
_REMOVED = (
    re.compile(
        r"(?:(?P<actor>.+?)(?:님이|가) )?(?P<names>.+)님을 (?:내보냈|강제 퇴장시켰|강퇴하였|강퇴했)습니다\.?"
    ),
    re.compile(rf"(?P<actor>.+?) (?:removed|kicked out|kicked) (?P<names>.+?)(?: from {_ROOM})?\."),
)
_WENT = (
    re.compile(r"(?P<names>.+)님이 (?:나갔|나가셨|퇴장하였|퇴장했|내보내졌)습니다\.?"),
    re.compile(rf"(?P<names>.+?) (?:has )?left(?: {_ROOM})?\."),
)
_FORMS = (
    (_INVITED, Change.IN),
    (_CAME, Change.IN),
    (_REMOVED, Change.OUT),
    (_WENT, Change.OUT),
)
_DELETED = frozenset(
    {
        "삭제된 메시지입니다.",
        "삭제된 메시지입니다",
        "메시지가 삭제되었습니다.",
        "메시지가 삭제되었습니다",
        "채팅방 관리자가 메시지를 가렸습니다.",
        "This message was deleted.",
        "This message has been deleted.",
        "Deleted message.",
    }
)
_SELF = frozenset({"You", "you"})
"""The exporter, whose own name such a notice does not tell."""
_MODERATOR = frozenset({"채팅방 관리자", "방장", "부방장", "관리자"})
_LIST_KO = re.compile(r"님(?:, |과 |와 |, 그리고 | 및 )")
_LIST_EN = re.compile(r", and | and |, ")

SYSTEM_USERS = frozenset({"", "시스템", "System", "system", "KakaoTalk", "카카오톡"})
"""Names under which tables of macOS and open chats show notices."""


def read_notice(body: str) -> Notice | None:
    """What a notice says about the roster, or that it stands for a deleted message; None where neither.

    Args:
        body: The whole notice.
    """
    body = body.strip()
    if body in _DELETED:
        return Notice(Change.DELETED)
    for forms, change in _FORMS:
        for position, form in enumerate(forms):
            if found := form.fullmatch(body):
                actor = found.groupdict().get("actor") or ""
                listing = (_LIST_KO, _LIST_EN)[position]
                listed = (name.strip() for name in listing.split(found["names"]))
                names = tuple(name for name in listed if name and name not in _SELF)
                return Notice(change, names, "" if actor in _SELF | _MODERATOR else actor)
    return None


_COUNT = r"(?: ?[0-9]{1,3}(?:장|개)?)?"
_CALLS = "보이스톡|페이스톡|라이브톡|그룹콜|(?:Voice|Video|Free) [Cc]all"
_CALL_ENDS = "해요|취소|부재중|없음|종료|[Cc]anceled|[Mm]issed|[0-9]"
_MEDIA = tuple(
    (kind, re.compile(form))
    for kind, form in (
        (
            Kind.PHOTO,
            rf"사진{_COUNT}|Photos?(?: [0-9]{{1,3}})?|[0-9]{{1,3}} [Pp]hotos|<(?:사진|Photo)[^<>]{{0,40}}>",
        ),
        (Kind.PHOTO, r"[0-9a-f]{32,64}\.(?:jpe?g|png|gif|webp|heic)"),
        (Kind.VIDEO, rf"동영상{_COUNT}|Videos?(?: [0-9]{{1,3}})?|<(?:동영상|Video)[^<>]{{0,40}}>"),
        (Kind.VIDEO, r"[0-9a-f]{32,64}\.(?:mp4|mov|avi)"),
        (Kind.EMOTICON, r"\(?(?:이모티콘|[Ee]moticons?)\)?|<(?:이모티콘|Emoticon)[^<>]{0,40}>"),
        (Kind.STICKER, r"\(?(?:스티커|[Ss]tickers?)\)?"),
        (
            Kind.VOICE,
            r"음성 ?메시지|보이스 ?노트|Voice (?:[Mm]essage|[Nn]ote)|<(?:음성 ?메시지|Voice)[^<>]{0,40}>",
        ),
        (Kind.VOICE, r"[0-9a-f]{32,64}\.(?:m4a|aac|mp3)"),
        (Kind.FILE, r"(?:파일|File) ?: ?\S.*|<(?:파일|File)[^<>]{0,40}>"),
        (Kind.CONTACT, r"(?:연락처|Contact) ?: ?\S.*|<(?:연락처|Contact)[^<>]{0,40}>"),
        (Kind.LOCATION, r"(?:지도|위치|Map|Location) ?: ?\S.*"),
        (Kind.CALL, rf"(?:{_CALLS})(?: (?:{_CALL_ENDS}).*)?"),
        (Kind.LINK, r"https?://\S+"),
    )
)


def kind_of(body: str) -> Kind:
    """What a message is, judged by its whole body; text where no stand-in matches.

    Args:
        body: The body as exported.
    """
    body = body.strip()
    if "\n" not in body:
        for kind, form in _MEDIA:
            if form.fullmatch(body):
                return kind
    return Kind.TEXT


def parts_of(body: str) -> tuple[tuple[Kind, str], ...]:
    """What a message consists of; nothing where only the notice of its deletion is left.

    Args:
        body: The body as exported.
    """
    return () if body.strip() in _DELETED else ((kind_of(body), body),)
