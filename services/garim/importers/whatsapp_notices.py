"""What WhatsApp itself writes into a chat: who came and went, deletions, and stand-ins for media."""

from __future__ import annotations

import re

from garim.importers.events import Kind
from garim.importers.kakaotalk_notices import Change, Notice

MARKS = "\u200e\u200f\u202a\u202b\u202c\ufeff"
"""Marks of direction that the app puts before what it says itself."""

_WHO = r"(?P<actor>[^:]+?)"
_WHOM = r"(?P<names>[^:]+?)"
_CAME = (
    rf"{_WHOM} joined(?: using| from| via).*",
    rf"{_WHOM} (?:was|were) added(?: by .*)?",
    rf"{_WHOM} created (?:this )?group(?: .*)?",
    rf"{_WHOM}님이 .*(?:참여|참가|입장)(?:했|하였)습니다",
    rf"{_WHOM}님이 (?:그룹|단체방|이 그룹).*(?:만들었|생성했|만드셨)습니다",
    rf"{_WHOM} ist (?:über|mit) .* beigetreten",
    rf"{_WHOM} hat (?:die|diese) Gruppe .*erstellt",
    rf"{_WHOM} se unió .*",
    rf"{_WHOM} creó (?:el|este) grupo.*",
    rf"{_WHOM} a rejoint .*",
    rf"{_WHOM} a créé (?:le|ce) groupe.*",
)
_ADDED = (
    rf"{_WHO} added {_WHOM}",
    rf"{_WHO}님이 {_WHOM}님을 (?:추가|초대)(?:했|하였)습니다",
    rf"{_WHO} hat {_WHOM} hinzugefügt",
    rf"{_WHO} añadió a {_WHOM}",
    rf"{_WHO} a ajouté {_WHOM}",
)
_WENT = (
    rf"{_WHOM} left(?: the group)?",
    rf"{_WHOM} (?:was|were) removed",
    rf"{_WHOM}님이 (?:그룹을 |그룹에서 )?(?:나갔|나가셨|퇴장했)습니다",
    rf"{_WHOM} hat die Gruppe verlassen",
    rf"{_WHOM} salió(?: del grupo)?",
    rf"{_WHOM} a quitté(?: le groupe)?",
)
_REMOVED = (
    rf"{_WHO} removed {_WHOM}",
    rf"{_WHO}님이 {_WHOM}님을 (?:삭제|강퇴|제거|내보냈|내보내기)(?:했|하였)?(?:습니다)",
    rf"{_WHO} hat {_WHOM} entfernt",
    rf"{_WHO} eliminó a {_WHOM}",
    rf"{_WHO} a (?:retiré|supprimé) {_WHOM}",
)
_NOTICES = tuple(
    (change, re.compile(form + r"\.?"))
    for change, forms in (
        (Change.IN, _CAME),
        (Change.IN, _ADDED),
        (Change.OUT, _WENT),
        (Change.OUT, _REMOVED),
    )
    for form in forms
)
_CHANGED = re.compile(
    r"[^:]+? (?:changed|hat den|hat das|cambió|a changé|turned (?:on|off)|pinned) .*"
    r"|[^:]+?님이 .*(?:변경|고정)(?:했|하였)습니다\.?",
    re.DOTALL,
)
"""Notices that quote what was set, in which a colon may stand."""
_SELF = frozenset({"you", "du", "dich", "tú", "te", "vous", "회원님", "나", "본인"})
"""The exporter, whose own name such a notice does not tell."""
_LISTED = re.compile(r"님(?:, |과 |와 | 및 )|, and | and | und | y | et |, ")
_DELETED = re.compile(
    r"(?:This message was deleted|You deleted this message"
    r"|(?:이 )?메시지(?:가|는) 삭제되었습니다|(?:이|내가|회원님이) ?메시지를 삭제(?:했|하였)습니다"
    r"|삭제된 메시지입니다"
    r"|Diese Nachricht wurde gelöscht|Du hast diese Nachricht gelöscht"
    r"|Se eliminó este mensaje|Eliminaste este mensaje"
    r"|Ce message a été supprimé|Vous avez supprimé ce message)\.?"
)
_EDITED = re.compile(rf" ?[{MARKS}]*<(?:This message was edited|이 메시지는 수정되었습니다|수정됨)\.?>$")

_WORDS = (
    (Kind.PHOTO, "image|photo|사진|이미지|Bild|imagen|GIF|image animée"),
    (Kind.VIDEO, "video|video note|동영상|비디오|Video|vídeo|vidéo"),
    (Kind.VOICE, "audio|voice message|음성 메시지|오디오|Audio"),
    (Kind.STICKER, "sticker|스티커|Sticker"),
    (Kind.FILE, "document|문서|파일|Dokument|documento"),
    (Kind.CONTACT, "Contact card|contact|연락처|Kontaktkarte"),
)
_OMITTED = "omitted|생략됨|(?:이|가)? ?생략되었습니다|weggelassen|omitid[oa]|absente?"
_MEDIA = tuple((kind, re.compile(rf"(?:{words}) ?(?:{_OMITTED})")) for kind, words in _WORDS)
_ENDINGS = (
    (Kind.STICKER, "webp"),
    (Kind.PHOTO, "jpe?g|png|gif|heic"),
    (Kind.VIDEO, "mp4|mov|3gp|avi"),
    (Kind.VOICE, "opus|m4a|aac|mp3|ogg"),
    (Kind.CONTACT, "vcf"),
)
_ATTACHED = re.compile(
    rf"<(?:attached|첨부|첨부됨|첨부 파일|Anhang|adjunto|pièce jointe) ?: ?(?P<inside>[^<>]+)>"
    rf"|[{MARKS}]*(?P<before>\S[^:]*\.[A-Za-z0-9]{{1,5}}) "
    r"\((?:file attached|파일 첨부됨|첨부 파일|Datei angehängt|archivo adjunto|fichier joint)\)"
)
_UNNAMED = re.compile(
    r"<(?:Media omitted|미디어 (?:파일을 )?제외(?:됨|했습니다)|미디어 생략됨"
    r"|Medien ausgeschlossen|Multimedia omitido|Médias omis)>"
)
_LOCATION = re.compile(
    r"(?:(?:live )?location|위치|Standort|ubicación)(?: shared|: https?://\S+)", re.IGNORECASE
)
_CALL = re.compile(
    r"(?:Missed )?(?:[Vv]oice|[Vv]ideo) call(?:[,.].*)?|(?:부재중 )?(?:음성|영상|화상) 통화.{0,40}"
)
_LINK = re.compile(r"https?://\S+")


def read_notice(body: str) -> Notice | None:
    """What a notice says; None where it is none that is known.

    Args:
        body: What stands behind the time, without marks of direction.
    """
    body = body.strip()
    for change, form in _NOTICES:
        if found := form.fullmatch(body):
            actor = (found.groupdict().get("actor") or "").strip()
            listed = (name.strip() for name in _LISTED.split(found["names"]))
            names = tuple(name for name in listed if name and name.lower() not in _SELF)
            return Notice(change, names, "" if actor.lower() in _SELF else actor)
    return Notice(Change.OTHER) if _CHANGED.fullmatch(body) else None


def parts_of(body: str) -> tuple[tuple[Kind, str], ...]:
    """What a message consists of: text, or a stand-in and its caption; nothing where it was deleted.

    Args:
        body: The body as exported.
    """
    text = _EDITED.sub("", body)
    first, _, caption = text.partition("\n")
    shown = first.strip(f"{MARKS} ")
    if not caption and _DELETED.fullmatch(shown):
        return ()
    kind = _stand_in(shown)
    if kind is None:
        if not caption and (_LOCATION.fullmatch(shown) or _CALL.fullmatch(shown) or _LINK.fullmatch(shown)):
            return ((_single(shown), text),)
        return ((Kind.TEXT, text),)
    return ((kind, first), (Kind.TEXT, caption)) if caption.strip() else ((kind, first),)


def _single(shown: str) -> Kind:
    if _LOCATION.fullmatch(shown):
        return Kind.LOCATION
    return Kind.LINK if _LINK.fullmatch(shown) else Kind.CALL


def _stand_in(shown: str) -> Kind | None:
    if _UNNAMED.fullmatch(shown):
        return Kind.FILE
    if found := _ATTACHED.fullmatch(shown):
        ending = (found["inside"] or found["before"]).strip().rpartition(".")[2].lower()
        return next((kind for kind, forms in _ENDINGS if re.fullmatch(forms, ending)), Kind.FILE)
    return next((kind for kind, form in _MEDIA if form.fullmatch(shown)), None)
