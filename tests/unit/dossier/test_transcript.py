"""The transcript: any browser shows it, nothing in it runs or calls out, opened names stand out."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dossier_support.sample import (
    ABOUT,
    DAY,
    HANEUL,
    IDENTITIES,
    LINES,
    MARU,
    MESH,
    PHONE,
    START,
    committed,
    line,
    make,
)
from garim.dossier import outline, package, transcript
from garim.dossier.answers import apply_answers
from garim.dossier.lines import MessageLine
from garim.dossier.opened_identity import OpenedIdentity
from garim.statements.refusal import RefusedError

HREF = re.compile(r"(index|(names|C\d+)-\d+)\.html(#[\w-]+)?|#C\d+-\d+")


class Page(HTMLParser):
    """What matters of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def released(name: str, **change: object) -> OpenedIdentity:
    return OpenedIdentity.from_object(IDENTITIES[name] | change, MESH)


def pages(names: dict[str, OpenedIdentity] | None = None, opaque: int = 2) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    package.render_transcript(ABOUT, lambda: LINES, opaque, found.__setitem__, names)
    return found


def shown(*lines: bytes) -> bytes:
    """The first page of one conversation."""
    found: dict[str, bytes] = {}
    package.render_transcript(ABOUT, lambda: lines, 0, found.__setitem__)
    return found["C1-1.html"]


def test_what_a_message_says_is_text_and_never_markup() -> None:
    page = Page(pages()["C2-1.html"])
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert '<script>alert(1)</script> & "따옴표"' in page.text


@pytest.mark.parametrize("place", ["name", "opened", "authority"])
def test_names_are_text_and_never_markup(place: str) -> None:
    evil = '"><script>alert(1)</script>'
    if place == "opened":
        commitment = committed(HANEUL, "C1-0003", 0, evil)
        lines = list(LINES)
        known = json.loads(lines[2])["masks"][0]["commitment"]
        lines[2] = lines[2].replace(known.encode(), commitment.encode())
        found: dict[str, bytes] = {}
        opened = {HANEUL: released(HANEUL, names=[evil], originals=[evil])}
        package.render_transcript(ABOUT, lambda: lines, 0, found.__setitem__, opened)
        html = found["C1-1.html"]
        assert Page(html).text.count(evil) == 2
    elif place == "authority":
        about = transcript.About(**{**vars_of(ABOUT), "authority": evil})
        html = transcript.index_page(about, [], 0)
    else:
        message = MessageLine.from_bytes(LINES[0])
        sender = message.sender.model_copy(update={"name": evil})
        html = shown(message.model_copy(update={"sender": sender}).to_bytes())
    assert b"<script" not in html
    assert evil in Page(html).text


def vars_of(about: transcript.About) -> dict[str, object]:
    return {name: getattr(about, name) for name in about.__slots__}


def test_no_page_runs_or_calls_anything() -> None:
    for html in pages().values():
        page = Page(html)
        policy = [attrs for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
        assert [one["content"] for one in policy] == ["default-src 'none'; style-src 'unsafe-inline'"]
        assert {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "form", "object"} == set()
        for _, attrs in page.tags:
            assert not {name for name in attrs if name.startswith("on") or name == "src"}
            assert re.fullmatch(
                r"(index|(names|C\d+)-\d+)\.html(#[\w-]+)?|#C\d+-\d+", attrs.get("href") or "index.html"
            )


def test_every_page_is_reached_from_the_index() -> None:
    found = pages()
    index = Page(found["index.html"])
    assert {attrs["href"] for tag, attrs in index.tags if tag == "a"} == {
        "C1-1.html",
        "C2-1.html",
        "names-1.html",
    }
    assert "종단간 암호화된 메시지 2건" in index.text
    assert "비밀대화" not in Page(pages(opaque=0)["index.html"]).text


def test_days_are_those_of_korea_and_stand_once() -> None:
    text = Page(pages()["C1-1.html"]).text
    days = re.findall(r"\d{4}-\d\d-\d\d [월화수목금토일]", text)
    assert len(days) == 2
    assert days == sorted(set(days))
    # 15:30 UTC is past midnight in Korea.
    late = [
        line(1, at, None, "x", at=START - START % DAY + at * 60_000 + 15 * 3_600_000 - 90_000)
        for at in (1, 2)
    ]
    html = shown(*late)
    assert len(re.findall(r"\d{4}-\d\d-\d\d [월화수목금토일]", Page(html).text)) == 2


def test_a_long_conversation_has_linked_pages() -> None:
    many = [line(1, at, None, f"{at}번") for at in range(1, 2 * outline.PAGE_MESSAGES + 2)]
    found: dict[str, bytes] = {}
    package.render_transcript(ABOUT, lambda: many, 0, found.__setitem__)
    assert sorted(found) == ["C1-1.html", "C1-2.html", "C1-3.html", "index.html"]

    assert "3쪽 가운데 2쪽" in Page(found["C1-2.html"]).text
    links = [
        {attrs["href"] for tag, attrs in Page(found[f"C1-{at}.html"]).tags if tag == "a"} - {"index.html"}
        for at in (1, 2, 3)
    ]
    assert [{one for one in each if one and one.endswith("html")} for each in links] == [
        {"C1-2.html"},
        {"C1-1.html", "C1-3.html"},
        {"C1-2.html"},
    ]


def test_masked_people_show_as_pseudonyms_until_they_are_opened() -> None:
    closed = Page(pages()["C1-1.html"]).text
    assert HANEUL in closed
    assert PHONE in closed
    shown = Page(pages({HANEUL: released(HANEUL)})["C1-1.html"])
    assert HANEUL not in shown.text
    assert shown.text.count("하늘 (acct-00002)") == 1
    assert "하늘이아 고마워" in shown.text, "in a text stands what was written"
    assert PHONE in shown.text
    titles = [attrs.get("title") or "" for tag, attrs in shown.tags if attrs.get("class") == "opened"]
    assert len(titles) == 2
    assert all(HANEUL in one for one in titles)


def test_a_subject_stands_with_name_and_without_pseudonym() -> None:
    page = Page(pages()["C1-1.html"])
    assert "다온" in page.text
    assert [attrs["id"] for _, attrs in page.tags if attrs.get("class") == "message subject"] == [
        "C1-0001",
        "C1-0003",
    ]


def test_an_identity_is_shown_by_name_and_account_or_by_its_value() -> None:
    assert released(HANEUL, names=["하늘", "haneul"], account="a-1").name == "하늘 (a-1)"
    assert released(HANEUL, names=[], value="a-1").name == "a-1"
    assert released(PHONE).name == "+821000001234"


def test_applying_writes_new_pages_beside_the_package(tmp_path: Path) -> None:
    made = make(tmp_path / "opened")
    before = {path: path.read_bytes() for path in made.opened.folder.rglob("*") if path.is_file()}
    opened = {MARU: released(MARU)}
    apply_answers(made.opened, opened, tmp_path / "applied")
    assert "마루 (acct-00003)" in Page((tmp_path / "applied" / "C2-1.html").read_bytes()).text
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / "applied").stat().st_mode & 0o777 == 0o700
    with pytest.raises(RefusedError, match="PACKAGE_EXISTS"):
        apply_answers(made.opened, opened, tmp_path / "applied")


def test_notices_say_what_a_message_was() -> None:
    assert "이름을 바꿨습니다" in Page(shown(line(1, 1, HANEUL, "", kind="renamed"))).text
