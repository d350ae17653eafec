"""A redaction that lies about what its masks hide is found out once the identity behind them is released."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dossier_support.sample import HANEUL, IDENTITIES, MARU, MESH, ORIGINALS, committed, line, make
from garim.dossier.lines import Mask, MessageLine
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.verification import verify_originals
from garim.statements.refusal import RefusedError

CITED = "C1-0001"
TEXT = f"{HANEUL}은 그날 우리 집에 있었어"
OPENED = {name: OpenedIdentity.from_object(IDENTITIES[name], MESH) for name in (HANEUL, MARU)}


def masked(text: str, *spans: tuple[int, int, str]) -> bytes:
    """Return a message whose masks a lying redaction commits to rightly, wherever it says that they stand."""
    plain = MessageLine.from_bytes(line(1, 1, None, "-"))
    masks = tuple(
        Mask(
            start=start,
            end=end,
            pseudonym=name,
            type="PERSON",
            commitment=committed(name, CITED, place, ORIGINALS[name]),
        )
        for place, (start, end, name) in enumerate(spans)
    )
    return plain.model_construct(**dict(plain) | {"text": text, "masks": masks}).to_bytes()


@dataclasses.dataclass
class Package:
    """A package as it is opened, of one message."""

    message: bytes

    def messages(self) -> list[MessageLine]:
        return [MessageLine.from_bytes(self.message)]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(masked(TEXT, (0, len(TEXT), HANEUL)), id="more-than-its-pseudonym"),
        pytest.param(masked("그만해", (0, 0, HANEUL)), id="of-no-length"),
        pytest.param(masked(f"{MARU} 안녕", (0, len(MARU), HANEUL)), id="over-another-pseudonym"),
        pytest.param(masked(TEXT, (0, 99, HANEUL)), id="beyond-the-text"),
        pytest.param(masked(TEXT, (0, len(HANEUL), HANEUL), (0, len(HANEUL), HANEUL)), id="twice"),
        pytest.param(masked(f"{HANEUL} {MARU}", (14, 27, MARU), (0, len(HANEUL), HANEUL)), id="out-of-order"),
        pytest.param(masked(TEXT), id="none-over-a-pseudonym"),
    ],
)
def test_a_mask_stands_over_its_pseudonym_and_nothing_else(message: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        verify_originals(Package(message), OPENED)  # type: ignore[arg-type]
    assert refused.value.reason in {"FIELD_VALUE", "MASK_DISHONEST"}


def test_masks_as_redaction_makes_them_are_borne_out(tmp_path: Path) -> None:
    assert verify_originals(Package(masked(TEXT, (0, len(HANEUL), HANEUL))), OPENED) == 1  # type: ignore[arg-type]
    made = make(tmp_path / "opened")
    assert verify_originals(made.opened, OPENED)
