"""Lines written fast are the lines that are read strictly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from garim.dossier.line_writer import LineWriter
from garim.dossier.lines import AttachmentNote, Mask, MessageLine, Sender, number
from garim.dossier.pages import pseudonyms_of, read_page
from garim.dossier.times import rfc3339

NAME = "P-7K4Q2-M9XAT"
PHONE = "PHONE-3F8RA-22KQD"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DIGEST = "0c" * 32
NOTE = AttachmentNote(media_type="image/png", size=3, sha256=DIGEST)


@given(TEXTS, TEXTS, TEXTS, st.integers(0, 4_000_000_000_000), st.booleans(), st.booleans(), st.booleans())
def test_the_bytes_are_those_of_the_strict_model(
    before: str, after: str, name: str, at: int, subject: bool, masked: bool, attached: bool
) -> None:
    writer = LineWriter()
    start = len(before)
    text = before + PHONE + after if masked else before + after
    made = writer.line(
        number(3, 27),
        at,
        writer.subject("acct-1", name) if subject else writer.bystander(NAME, DIGEST),
        "text",
        text,
        [writer.mask(start, start + len(PHONE), PHONE, "PHONE", DIGEST)] if masked else [],
        NOTE if attached else None,
    )
    mask = Mask(start=start, end=start + len(PHONE), pseudonym=PHONE, type="PHONE", commitment=DIGEST)
    strict = MessageLine(
        number="C3-0027",
        at=at,
        time=rfc3339(at),
        sender=Sender(pseudonym=None, account="acct-1", name=name, commitment=None)
        if subject
        else Sender(pseudonym=NAME, account=None, name=None, commitment=DIGEST),
        kind="text",
        text=text,
        masks=(mask,) if masked else (),
        attachment=NOTE if attached else None,
    )
    assert made == strict.to_bytes()
    (read,) = read_page([made])
    assert read == strict.to_json()
    assert pseudonyms_of(read) == strict.pseudonyms()
