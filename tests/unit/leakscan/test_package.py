"""Planted in a package behind masking's back, in whatever file, a leak is found and its place is named."""

import io
import secrets
import zipfile
from collections.abc import Callable, Sequence

import pytest

from dossier_support.writing import write_package
from garim.dossier.lines import AttachmentNote, Mask, MessageLine, Sender, number
from garim.dossier.times import rfc3339
from garim.dossier.transcript import About
from garim.leakscan.found import Leak
from garim.leakscan.package import PackageScan, Scanned, forms_of
from garim.leakscan.scan import LeakScan
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.redaction.attempt.scanning import blank_package
from garim.statements.refusal import RefusedError

JIMIN = Person("a1", "jimin_77", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",))
SEEN = "P-7K4Q2-M9XAT"
TABLE = [(SEEN, InfoType.PERSON, "a1"), ("PHONE-ABCDE-F0123", InfoType.PHONE, "+821000007777")]
ABOUT = About("ab" * 16, "서울중앙지방검찰청", "2026형제1", "2026-1", 0, 1_000, "sealed")
STATED = {ABOUT.dossier, ABOUT.authority, ABOUT.case_number, ABOUT.number, "이도현", "dohyun"}
LEAKS = {
    "PERSON": "어제 김지민이 왔다",
    "account": "jimin_77",
    "PHONE": "010-0000-1234",
    "somebody's PHONE": "010-0000-9999",
    "foreign PHONE": "+44 20 7946 0001",
    "half-hidden PHONE": "010-****-9999",
    "spoken PHONE": "공일공 일이삼사 오육칠팔",
    "EMAIL": "somebody@mail.example",
    "RRN": "900101-1234567",
    "FRN": "900101-5234567",
    "SSN": "078-05-1120",
    "PASSPORT": "여권 M12345678",
    "DRIVER_LICENSE": "11-90-123456-01",
    "CARD": "4111-1111-1111-1111",
    "BANK_ACCOUNT": "국민은행 123456-01-123456",
    "IBAN": "GB33BUKB20201555555555",
    "BUSINESS_REG": "120-81-47521",
    "IP": "203.0.113.44",
    "IPv6": "2001:db8:0:1::17",
    "MAC": "00:00:5e:00:53:af",
    "GPS": "37.000123, 127.000456",
    "VEHICLE": "12가 3456",
    "ADDRESS": "서울특별시 강남구 가나로 12",
    "URL_HANDLE": "https://instagram.com/some_body",
    "HANDLE": "카톡 아이디 some_body12",
    "DATE_OF_BIRTH": "생일 1990. 1. 2",
    "USER_HOST": "~joe@host.example",
}


def line(place: int, text: str, masks: tuple[Mask, ...] = ()) -> MessageLine:
    subject = place % 2 == 1
    return MessageLine(
        number=number(1, place),
        at=place * 86_400_000,
        time=rfc3339(place * 86_400_000),
        sender=Sender(pseudonym=None, account="dohyun", name="이도현", commitment=None)
        if subject
        else Sender(pseudonym=SEEN, account=None, name=None, commitment="1" * 64),
        kind="text" if place % 3 else "photo",
        text=text,
        masks=masks,
        attachment=None
        if place % 3
        else AttachmentNote(media_type="image/jpeg", size=12_345, sha256="2" * 64),
    )


MASK = Mask(start=3, end=3 + len(SEEN), pseudonym=SEEN, type="PERSON", commitment="3" * 64)
LINES = [
    line(1, "안녕 & <b>잘</b> 지내?"),
    line(2, f"아니 {SEEN}은\n어제", (MASK,)),
    line(3, ""),
    line(4, "  ㅋㅋㅋ"),
    line(5, "12:30에 3번 출구, 2026-11-22"),
]
FORMS = forms_of(blank_package(ABOUT))


class Forward(io.BytesIO):
    """Memory that cannot be sought in: what zipfile writes there has its sizes behind each entry."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation


def package(lines: list[MessageLine]) -> bytes:
    target = io.BytesIO()
    write_package(
        target,
        about=ABOUT,
        lines=[one.to_bytes() for one in lines],
        identities=[(SEEN, "PERSON", secrets.token_bytes(1_100))],
        opaque=2,
        random_bytes=secrets.token_bytes,
    )
    return target.getvalue()


HONEST = package(LINES)


def planted(file: str, change: Callable[[str], str]) -> bytes:
    """Write the honest package anew with one file changed."""
    target = Forward()
    with zipfile.ZipFile(io.BytesIO(HONEST)) as source, zipfile.ZipFile(target, "w", 8) as copy:
        assert file in source.namelist()
        for name in source.namelist():
            data = source.read(name)
            if name == file:
                before = data.decode()
                data = change(before).encode()
                assert data.decode() != before
            with copy.open(deflated(name), "w", force_zip64=True) as entry:
                entry.write(data)
    return target.getvalue()


def deflated(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def scanned_package(data: bytes, step: int = 1_000) -> list[str]:
    """Scan a package whole and return what was not passed over."""
    asked: list[str] = []

    class Listening(LeakScan):
        def scan(self, texts: Sequence[str]) -> list[Leak]:
            asked.extend(texts)
            return super().scan(texts)

    scanned = Scanned((one.to_bytes(), one.text) for one in LINES)
    scan = PackageScan(Listening([JIMIN], ["이도현"], table=TABLE), scanned, FORMS, STATED)
    for at in range(0, len(data), step):
        scan.feed(data[at : at + step])
    scan.close()
    return asked


def refusal(data: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        scanned_package(data)
    return caught.value


@pytest.mark.parametrize("step", [7, 1_000, 1 << 20])
def test_an_honest_package_passes_and_nothing_is_scanned_twice(step: int) -> None:
    assert scanned_package(HONEST, step) == []


PLACES: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "a line": ("messages.jsonl", lambda text, leak: text.replace("ㅋㅋㅋ", f"ㅋㅋㅋ {leak}")),
    "a sender": ("messages.jsonl", lambda text, leak: text.replace('"name":"이도현"', f'"name":"{leak}"')),
    "a kind": ("messages.jsonl", lambda text, leak: text.replace('"kind":"photo"', f'"kind":"{leak}"')),
    "an attachment": ("messages.jsonl", lambda text, leak: text.replace("image/jpeg", leak)),
    "a name in a line": ("messages.jsonl", lambda text, leak: text.replace('"kind"', f'"{leak}"')),
    "what is said of the dossier": ("about.json", lambda text, leak: text.replace("2026형제1", leak)),
    "the README": ("README.txt", lambda text, leak: text + leak + "\n"),
    "an identity": ("identities.jsonl", lambda text, leak: text.replace('"PERSON"', f'"{leak}"')),
    "a sealed value": (
        "identities.jsonl",
        lambda text, leak: text.replace('"sealed":"', f'"sealed":"{leak}'),
    ),
    "the salts": ("commitments/salts.txt", lambda text, leak: text + leak + "\n"),
    "the roots": ("commitments/roots.json", lambda text, leak: text.replace("{", f'{{"note":"{leak}",', 1)),
    "a transcript's text": ("transcript/C1-1.html", lambda text, leak: text.replace("ㅋㅋㅋ", leak)),
    "a transcript's sender": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace('<span class="who">', f'<span class="who">{leak}'),
    ),
    "a transcript's title": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace('title="', f'title="{leak} '),
    ),
    "a mask's title": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace('<mark class="', f'<mark data-x="{leak}" class="'),
    ),
    "a transcript's notice": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace("photo", f"photo {leak}"),
    ),
    "a transcript's comment": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace("<h1>", f"<!-- {leak} --><h1>"),
    ),
    "a transcript's style": (
        "transcript/C1-1.html",
        lambda text, leak: text.replace(":root", f"/* {leak} */ :root", 1),
    ),
    "a page of pseudonyms": (
        "transcript/names-1.html",
        lambda text, leak: text.replace("</dt>", f"{leak}</dt>"),
    ),
    "the index": ("transcript/index.html", lambda text, leak: text.replace("<td>", f"<td>{leak}", 1)),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_bystanders_number_in_any_file_is_found_and_its_place_named(place: str) -> None:
    file, change = PLACES[place]
    found = refusal(planted(file, lambda text: change(text, "010-0000-1234")))
    assert found.reason == "LEAK_FOUND"
    assert f"in {file}, line " in found.message
    assert "0000" not in found.message


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("place", ["a line", "a transcript's text", "a transcript's title", "the README"])
def test_every_kind_is_found_wherever_it_stands(kind: str, place: str) -> None:
    file, change = PLACES[place]
    assert refusal(planted(file, lambda text: change(text, LEAKS[kind]))).reason == "LEAK_FOUND"


def test_the_place_of_a_masks_title_is_its_line_on_the_page() -> None:
    file, change = PLACES["a mask's title"]
    data = planted(file, lambda text: change(text, "010-0000-1234"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = archive.read(file).decode().split("\n")
    (line,) = [place for place, one in enumerate(lines, 1) if "0000" in one]
    assert f"in {file}, line {line}, data-x, characters 0 to 13;" in refusal(data).message


def test_a_message_that_the_lines_scan_never_saw_is_scanned() -> None:
    data = package([*LINES, line(6, "지민아 전화해")])
    assert refusal(data).reason == "LEAK_FOUND"
    assert refusal(package([line(1, "김지민"), *LINES[1:]])).reason == "LEAK_FOUND"


@pytest.mark.parametrize(
    ("name", "comment", "reason"),
    [
        ("010-0000-1234.txt", b"", "LEAK_FOUND"),
        ("x.txt", b"call 010-0000-1234", "PACKAGE_UNSCANNED"),
    ],
)
def test_an_archive_says_nothing_beside_its_files(name: str, comment: bytes, reason: str) -> None:
    target = Forward()
    with zipfile.ZipFile(target, "w", 8) as archive:
        archive.comment = comment
        with archive.open(deflated(name), "w", force_zip64=True) as entry:
            entry.write(b"-")
    assert refusal(target.getvalue()).reason == reason


def test_a_package_that_cannot_be_read_does_not_leave() -> None:
    directory = HONEST.index(b"PK\x01\x02")
    for spoilt in (
        HONEST[: directory - 10],
        HONEST[:28] + b"\x15" + HONEST[29:],
        HONEST.replace(b"PK\x03\x04\x2d\x00\x08", b"PK\x03\x04\x2d\x00\x00"),
        HONEST.replace(b"PK\x07\x08", b"PK\x07\x08wrong", 1),
        HONEST + b"010-0000-1234",
        HONEST.replace(b"README", b"Readme", 1),
    ):
        assert refusal(spoilt).reason == "PACKAGE_UNSCANNED"
