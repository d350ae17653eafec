"""Who steals the logs and databases of a mesh after a whole case learns nobody's name, number or words.

Two services hold the signed documents, which name the subjects: warrants and custody. They hold them and
nobody else, and nothing but a document's own identifiers. The store's and redaction's databases name nobody.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from garim.cli.demo.first_request import first_half
from garim.cli.demo.second_request import second_half
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import Story
from garim.cli.files import make_folder
from garim.importers import Member
from mesh_support.live import LiveMesh
from mesh_support.memory import Needles, found_in_files
from mesh_support.played import STRANGERS, Played

NEED_DOCUMENTS = ("warrants", "custody")
LEAST_BYTES = 6
"""A shorter form also stands in random bytes now and then: two Hangul syllables are six."""


@dataclass(frozen=True, slots=True)
class Forms:
    """What to look for.

    Attributes:
        subject: The subject's account, names, phone, e-mail.
        bystanders: Everybody else's, without what the subject shares with them.
        words: Texts of messages.
    """

    subject: Needles
    bystanders: Needles
    words: Needles


def _encodings(text: str) -> Iterator[bytes]:
    for form in ("NFC", "NFD"):
        data = unicodedata.normalize(form, text).encode()
        yield data
        yield json.dumps(unicodedata.normalize(form, text))[1:-1].encode()
        yield unicodedata.normalize(form, text).encode("utf-16-le")
        yield data.hex().encode()
        if len(data) >= LEAST_BYTES + 2:
            for shift in range(3):
                # What base64 makes of the middle of it, wherever it stands in a longer text.
                whole = base64.b64encode(b"\0" * shift + data)
                inner = whole[4 if shift else 0 : len(whole) - 4]
                yield inner
                yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _needles(texts: Iterable[str]) -> Needles:
    return {
        f"{text!r} {number}": one
        for text in dict.fromkeys(texts)
        for number, one in enumerate(dict.fromkeys(_encodings(text)))
        if len(one) >= LEAST_BYTES
    }


def _of(member: Member) -> Iterator[str]:
    yield from (one for one in (member.account, member.name, member.email, *member.other_names) if one)
    digits = re.sub(r"\D", "", member.phone)
    if digits:
        yield from (member.phone, digits, digits[-8:], f"{digits[-8:-4]}-{digits[-4:]}")


@pytest.fixture(scope="module")
def forms(played: Played) -> Forms:
    chosen = played.chosen
    subject = next(one for one in chosen.people if one.account == chosen.subject)
    mine = set(_of(subject))
    others = {
        text
        for one in chosen.bystanders
        for text in _of(one)
        # A namesake's or a syllable's worth proves nothing.
        if text not in mine and not any(text in own for own in mine) and len(text) > 2
    }
    for one in STRANGERS:
        others |= {one.account, *one.names, *(phone[-8:] for phone in one.phones), *one.emails}
    words = {one.text[:40] for one in chosen.originals if len(one.text) >= 10}
    return Forms(_needles(mine), _needles(others), _needles(words))


@pytest.fixture(scope="module")
def whole(played: Played) -> LiveMesh:
    """The mesh after one more case from the warrant to one opened identity."""
    stage = Stage(played.mesh.root.parent, Story(quiet=True))
    make_folder(stage.papers)
    second_half(stage, played.chosen, first_half(stage, played.chosen))
    return played.mesh


def test_the_search_finds_what_there_is(whole: LiveMesh, played: Played, forms: Forms) -> None:
    assert len(forms.bystanders) > 100
    assert len(forms.words) > 300
    opened = found_in_files(played.folder / "opened", forms.subject)
    assert opened
    for service in NEED_DOCUMENTS:
        assert found_in_files(whole.places.service(service), forms.subject), service


def test_no_service_keeps_a_bystanders_name_or_number_or_a_message(whole: LiveMesh, forms: Forms) -> None:
    for service in whole.file.addresses:
        assert found_in_files(whole.places.service(service), forms.bystanders | forms.words) == {}, service


def test_only_the_services_that_judge_documents_keep_the_subjects_identifiers(
    whole: LiveMesh, forms: Forms
) -> None:
    for service in set(whole.file.addresses) - set(NEED_DOCUMENTS):
        assert found_in_files(whole.places.service(service), forms.subject) == {}, service


def test_no_log_line_names_anybody(whole: LiveMesh, forms: Forms) -> None:
    everything = forms.subject | forms.bystanders | forms.words
    assert (whole.places.run / "custody.log").stat().st_size > 0
    assert found_in_files(whole.places.run, everything) == {}


def test_no_line_of_a_log_is_anything_but_a_listed_event(whole: LiveMesh) -> None:
    for path in sorted(Path(whole.places.run).glob("*.log")):
        for line in path.read_text().splitlines():
            assert line.startswith("{"), (path.name, line[:80])
            json.loads(line)
