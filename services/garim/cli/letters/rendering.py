"""Setting a letter: plain text for a mail, HTML for paper; neither names an outside resource."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.cells import cell_len

from garim.cli.letters.letter import Ground, Letter
from garim.cli.letters.wording import LABELS
from garim.documents.policy_model import Words

Language = Literal["ko", "en", "both"]
_SEPARATOR = ["", "-" * 72, ""]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("garim.cli.letters"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def as_html(letter: Letter, language: Language) -> bytes:
    """Return a letter as one HTML page, in Korean, English, or one after the other."""
    page = _templates().get_template("letter.html")
    return page.render(letter=letter, languages=_languages(language), labels=LABELS).encode()


def as_text(letter: Letter, language: Language) -> bytes:
    """Return a letter as plain text, in Korean, English, or one after the other."""
    lines: list[str] = []
    for korean in (one == "ko" for one in _languages(language)):
        lines += _SEPARATOR if lines else []
        lines += _lines(letter, korean=korean)
    return ("\n".join(lines) + "\n").encode()


def _languages(language: Language) -> tuple[str, ...]:
    return ("ko", "en") if language == "both" else (language,)


def _lines(letter: Letter, *, korean: bool) -> Iterator[str]:
    def said(text: Words) -> str:
        return text.ko if korean else text.en

    title = said(letter.title)
    yield from (title, "=" * cell_len(title), "")
    if letter.addressee:
        yield from (f"{'수신' if korean else 'To'}: {letter.addressee}", "")
    yield from (said(letter.opening), "")
    yield from (f"{said(fact.label)}: {said(fact.value)}" for fact in letter.facts)
    basis = said(LABELS["basis"])
    if letter.basis:
        yield f"{basis}: {'; '.join(letter.basis)}"
    for heading, grounds in (("reasons", letter.reasons), ("duties", letter.duties)):
        if grounds:
            yield from ("", said(LABELS[heading]))
            yield from _numbered(grounds, basis, korean=korean)
    if letter.closing:
        yield from ("", *(said(one) for one in letter.closing))
    yield from ("", letter.operator, f"{said(LABELS['made'])}: {letter.made}")


def _numbered(grounds: tuple[Ground, ...], basis: str, *, korean: bool) -> Iterator[str]:
    for number, one in enumerate(grounds, 1):
        yield f"{number}. {one.text.ko if korean else one.text.en} [{one.code}]"
        if one.basis:
            yield f"   {basis}: {'; '.join(one.basis)}"
