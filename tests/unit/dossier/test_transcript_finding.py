"""Finding one's way in a transcript: by day, by pseudonym, by colour; every way ends at a message."""

from __future__ import annotations

import colorsys
import re
from html.parser import HTMLParser

from dossier_support.sample import ABOUT, DAY, HANEUL, LINES, MARU, PHONE, START, line
from garim.dossier import book, outline, package, transcript
from garim.dossier.lines import MessageLine


class Links(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.titles: list[str] = []
        self.classes: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        self.links |= {found["href"] or ""} if "href" in found else set()
        self.titles += [found["title"] or ""] if "title" in found else []
        self.classes += [found["class"] or ""] if tag in {"mark", "div"} and "class" in found else []


def rendered(*lines: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    package.render_transcript(ABOUT, lambda: lines, 0, found.__setitem__)
    return found


def test_every_link_ends_somewhere() -> None:
    found = {name: Links(html) for name, html in rendered(*LINES).items()}
    for name, page in found.items():
        for link in page.links:
            target, _, place = link.partition("#")
            assert target or place
            assert (target or name) in found
            assert not place or place in found[target or name].ids


def test_under_each_pseudonym_stands_every_message_with_it() -> None:
    html = rendered(*LINES)["names-1.html"].decode()
    messages = [MessageLine.from_bytes(one) for one in LINES]
    for pseudonym in {one for message in messages for one in message.pseudonyms()}:
        part = html.split(f'id="{pseudonym}"')[1].split("<dt")[0]
        expected = [message.number for message in messages if pseudonym in message.pseudonyms()]
        assert re.findall(r">(C[0-9]+-[0-9]+)</a>", part) == expected


def test_the_pages_of_pseudonyms_tell_nothing_by_their_order() -> None:
    html = rendered(*LINES)["names-1.html"].decode()
    ids = re.findall(r'<dt id="([^"]+)"', html)
    assert ids == sorted(ids)


def test_frequent_pseudonyms_are_counted_and_their_first_messages_listed() -> None:
    many = outline.LISTED_MENTIONS + 3
    html = rendered(*(line(1, at, HANEUL, "x") for at in range(1, many + 1)))["names-1.html"].decode()
    assert html.count(">C1-") == outline.LISTED_MENTIONS
    assert "+ 3<" in html
    assert f"</span> {many} ·" in html


def test_many_pseudonyms_fill_several_pages() -> None:
    gathered = outline.Outline()
    gathered.names = {f"P-{at:05d}-00000": outline.Name("PERSON") for at in range(outline.PAGE_NAMES + 1)}
    drawn = book.Book(gathered, {})
    assert [len(one) for one in drawn.listed] == [outline.PAGE_NAMES, 1]
    assert b"names-2.html" in transcript.names_page_of(1, drawn)
    assert drawn.link(f"P-{outline.PAGE_NAMES:05d}-00000").startswith("names-2.html#")


def test_each_day_is_reached_from_every_page_of_its_conversation() -> None:
    many = [line(1, at, None, "x", at=START + at * DAY // 200) for at in range(1, 2 * outline.PAGE_MESSAGES)]
    found = rendered(*many)
    days = {f"{outline.day_of(MessageLine.from_bytes(one).at):%Y-%m-%d}" for one in many}
    for name in ("C1-1.html", "C1-2.html"):
        calendar = found[name].decode().split("<details>")[1].split("</details>")[0]
        assert calendar.count("<a href") == len(days)


def test_hovering_shows_kind_and_count() -> None:
    titles = Links(rendered(*LINES)["C1-1.html"]).titles
    assert any(one.startswith("전화번호 PHONE · ") and one.endswith("×") for one in titles)
    assert any(one.startswith(f"{HANEUL} · 사람 PERSON · ") for one in titles)


def test_a_pseudonym_has_one_colour_everywhere() -> None:
    html = "".join(one.decode() for one in rendered(*LINES).values())
    for pseudonym in (HANEUL, PHONE):
        shown = set(re.findall(rf'<mark class="(h[0-9]+)"[^>]*>(?:<a [^>]*>)?{pseudonym}', html))
        assert shown == {f"h{book.hue_of(pseudonym)}"}
    assert f'class="message h{book.hue_of(MARU)}"' in html


def luminance(hue: float, saturation: float, light: float) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = colorsys.hls_to_rgb(hue / 360, light / 100, saturation / 100)
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_has_the_contrast_of_wcag_aaa() -> None:
    html = rendered(*LINES)["C1-1.html"].decode()
    rules = re.findall(
        r"mark, .who a \{ background: hsl\(var\(--hue, 48\) (\d+)% var\(--(\w+), \d+%\)\); color: #(\w+);",
        html,
    )
    hues = re.findall(r"--hue: (\d+); --light: (\d+)%; --dark: (\d+)%;", html)
    assert (len(rules), len(hues)) == (2, book.HUES)
    for saturation, shade, text in rules:
        ink = luminance(0, 0, {"111": 100 * 0x11 / 255, "f5f5f5": 100 * 0xF5 / 255}[text])
        for hue, light, dark in hues:
            paper = luminance(int(hue), int(saturation), int(light if shade == "light" else dark))
            assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 7


def test_no_meaning_stands_in_colour_alone() -> None:
    html = rendered(*LINES)["C1-1.html"].decode()
    assert html.count('class="tag">대상자') == html.count('class="message subject"')
