"""What every page of one transcript draws on: links, titles and colours of its pseudonyms."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.outline import Outline, names_page
from garim.masking.infotype import InfoType
from garim.statements.grants import TimeUnit

HUES = 12

_KINDS: Mapping[str, str] = {
    InfoType.PERSON: "사람",
    InfoType.PHONE: "전화번호",
    InfoType.EMAIL: "전자우편",
    InfoType.RRN: "주민등록번호",
    InfoType.FRN: "외국인등록번호",
    InfoType.CARD: "카드번호",
    InfoType.BANK_ACCOUNT: "계좌번호",
    InfoType.IP: "IP 주소",
    InfoType.URL_HANDLE: "링크의 계정",
    InfoType.HANDLE: "계정 이름",
    InfoType.PASSPORT: "여권번호",
    InfoType.DRIVER_LICENSE: "운전면허번호",
    InfoType.BUSINESS_REG: "사업자등록번호",
    InfoType.VEHICLE: "차량번호",
    InfoType.DATE_OF_BIRTH: "생년월일",
    InfoType.ADDRESS: "주소",
}


class Book:
    """What every page of one transcript draws on.

    Args:
        outline: Conversations, days and pseudonyms.
        opened: Released identities by pseudonym, shown in place of the pseudonyms.
        times: How exactly times are shown.
    """

    def __init__(
        self, outline: Outline, opened: Mapping[str, OpenedIdentity], times: TimeUnit = "exact"
    ) -> None:
        self.outline = outline
        self.times = times
        self.opened = opened
        self.rooms = {room.number: room for room in outline.rooms}
        self.listed = outline.listed()
        self._pages = {one: page for page, names in enumerate(self.listed, 1) for one in names}

    def link(self, pseudonym: str) -> str:
        """Return where all messages with a pseudonym are listed."""
        return f"{names_page(self._pages[pseudonym])}#{pseudonym}"

    def title(self, pseudonym: str) -> str:
        """Return what a pseudonym stands for and how often it occurs."""
        name = self.outline.names[pseudonym]
        count = name.sent + name.named
        return f"{kind_words(name.type)} · {count}회 · {count}×"


def kind_words(kind: str) -> str:
    """Return an information type in Korean, with its own name.

    Args:
        kind: In UPPER_SNAKE.
    """
    return f"{_KINDS[kind]} {kind}" if kind in _KINDS else kind


def hue_of(pseudonym: str) -> int:
    """Return which of `HUES` colours a pseudonym has; within and across dossiers it follows from itself."""
    return hashlib.sha256(pseudonym.encode()).digest()[0] % HUES
