"""However a bystander's identifier is written, it is found; only what masking reads too is certain."""

import base64
import unicodedata
import urllib.parse

import pytest

from garim.leakscan.scan import LeakScan
from garim.masking.people import Person

JIMIN = Person("a1", "jimin_77", ("김지민",), phones=("010-2345-6789",), emails=("jimin@mail.example",))
SCAN = LeakScan([JIMIN])
PHONE, EMAIL, NAME, NICK = "010-2345-6789", "jimin@mail.example", "김지민", "jimin_77"


def found(text: str) -> bool:
    return any(leak.person == "a1" for leak in SCAN.scan([f"앞 {text} 뒤"]))


def entities(text: str) -> str:
    return "".join(f"&#{ord(one)};" for one in text)


def full_width(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def percents(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


WRITTEN = {
    "spaced digits": " ".join("01023456789"),
    "dotted digits": ".".join("01023456789"),
    "spaces and hyphens": "0 1 0 - 2 3 4 5 - 6 7 8 9",
    "without the country's zero": "+82 (0)10 2345 6789",
    "only the end": "2345-6789",
    "full-width number": full_width(PHONE),
    "full-width mail": full_width(EMAIL),
    "circled digits": "⓪①⓪②③④⑤⑥⑦⑧⑨",
    "filled circled digits": "⓿❶⓿❷❸❹❺❻❼❽❾",
    "superscripts": "⁰¹⁰²³⁴⁵⁶⁷⁸⁹",
    "Arabic digits": "٠١٠٢٣٤٥٦٧٨٩",
    "mathematical digits": "𝟎𝟏𝟎𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
    "keycaps": "".join(f"{one}\ufe0f\u20e3" for one in "01023456789"),
    "zero-width in a number": "\u200b".join(PHONE),
    "soft hyphens in a name": "김\u00ad지\u00ad민",
    "zero-width in a name": "\u200d".join(NAME),
    "fillers in a name": "\u3164".join(NAME),
    "NFD name": unicodedata.normalize("NFD", NAME),
    "marks on a nick": "j\u0301imin_77",
    "Cyrillic in a nick": "jіmіn_77",
    "upper case": NICK.upper(),
    "dashes of all kinds": "010–2345—6789",
    "number in base64": base64.b64encode(PHONE.encode()).decode(),
    "name in base64": base64.b64encode(f"{NAME}에게 줘".encode()).decode(),
    "mail in URL base64": base64.urlsafe_b64encode(f"<{EMAIL}>?".encode()).decode().rstrip("="),
    "number in entities": entities(PHONE),
    "name in entities": entities(NAME),
    "name in hexadecimal entities": "".join(f"&#x{ord(one):x};" for one in NAME),
    "mail with an entity": EMAIL.replace("@", "&#64;"),
    "mail in a link": "https://x.example/?to=" + urllib.parse.quote(EMAIL),
    "name in a link": "https://x.example/" + urllib.parse.quote(NAME),
    "number in percents": percents(PHONE),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_however_it_is_written_it_is_found(way: str) -> None:
    assert found(WRITTEN[way])


@pytest.mark.parametrize(
    "way", [way for way in WRITTEN if "entit" in way or "base64" in way or "percent" in way]
)
def test_what_masking_cannot_read_is_left_to_people(way: str) -> None:
    assert {leak.certain for leak in SCAN.scan([WRITTEN[way]])} == {False}


@pytest.mark.parametrize(
    "text",
    [
        *("2.6.10-1", "12:30:45", "2026-11-22", "AC_MSG_LOG", "50% 할인", "R&amp;D", "1,234,567원"),
        *("https://x.example/docs/2026/11/22", "c3RhdGVk", "서울 가자", "3번 출구 10시", "10.0.0.7"),
    ],
)
def test_what_is_nothing_of_the_kind_passes(text: str) -> None:
    assert SCAN.scan([text]) == []


def test_a_subjects_own_identifiers_may_stand() -> None:
    scan = LeakScan([JIMIN], ["이도현"], ["010-0000-5678", "dohyun@mail.example"])
    assert scan.scan(["이도현 010 0000 5678 DOHYUN@mail.example"]) == []
    assert [leak.type for leak in scan.scan(["010 0000 5679"])] == ["PHONE"]


def test_equal_texts_each_have_their_leak() -> None:
    assert [leak.index for leak in SCAN.scan(["네", NAME, "네", NAME])] == [1, 3]
