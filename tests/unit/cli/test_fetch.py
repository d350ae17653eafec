from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli_support.world import SampleCase
from garim.api.custody.v1 import custody_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.cli import dossier_files
from garim.cli.dossier_files import PACKAGE, RECEIPT
from garim.dossier.receipt import ReceiptFile
from garim.kit.convert import envelope_to, logged_to
from garim.statements.refusal import Kind, RefusedError

CASE = bytes(16)
CHUNK = 500


class Delivery:
    """A redaction service that delivers a case's package, and may break off.

    Args:
        case: Whose package.
        breaks_after: After how many chunks it becomes unavailable; None never.
    """

    def __init__(self, case: SampleCase, breaks_after: int | None = None) -> None:
        self.case = case
        self.data = case.package.read_bytes()
        self.breaks_after = breaks_after
        self.offsets: list[int] = []

    def fetch(self, request: redaction_pb2.FetchDossierRequest) -> Iterator[Any]:
        self.offsets.append(request.offset)
        logged = self.case.receipt_logged
        yield redaction_pb2.FetchDossierResponse(receipt=logged_to(logged.statement, logged.proof))
        rest = self.data[request.offset :]
        for count, at in enumerate(range(0, len(rest), CHUNK)):
            if count == self.breaks_after:
                raise RefusedError("PEER_UNAVAILABLE", "gone", kind=Kind.UNAVAILABLE)
            yield redaction_pb2.FetchDossierResponse(chunk=rest[at : at + CHUNK])

    def governance(self, _request: Any) -> custody_pb2.GetGovernanceResponse:
        link = ReceiptFile.from_bytes(self.case.receipt_path.read_bytes()).governance[0]
        version = custody_pb2.GovernanceVersion(
            document=link.document, decisions=[envelope_to(one) for one in link.decisions]
        )
        return custody_pb2.GetGovernanceResponse(versions=[version])

    def run(self, folder: Path, genesis: str = "") -> list[int]:
        seen: list[int] = []
        own: Any = SimpleNamespace(
            redaction=SimpleNamespace(FetchDossier=self.fetch),
            custody=SimpleNamespace(GetGovernance=self.governance),
        )
        dossier_files.fetch(own, CASE, folder, genesis or self.case.world.genesis, seen.append)
        return seen


def test_a_package_is_fetched_with_its_receipt_and_verifies(case: SampleCase, tmp_path: Path) -> None:
    seen = Delivery(case).run(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {PACKAGE, RECEIPT}
    assert seen[-1] == case.package.stat().st_size
    receipt, _ = dossier_files.verify_all(
        tmp_path / "out" / RECEIPT, case.world.genesis, tmp_path / "out" / PACKAGE, case.opened
    )
    assert receipt.messages == 3


def test_a_fetch_that_broke_off_goes_on_where_it_was(case: SampleCase, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        Delivery(case, breaks_after=2).run(tmp_path)
    assert not (tmp_path / PACKAGE).exists(), "half a package never has the whole one's name"
    again = Delivery(case)
    again.run(tmp_path)
    assert again.offsets == [2 * CHUNK]
    assert (tmp_path / PACKAGE).read_bytes() == case.package.read_bytes()


def test_a_changed_beginning_is_found_and_thrown_away(case: SampleCase, tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE}.part").write_bytes(b"\x00" * CHUNK)
    with pytest.raises(RefusedError) as refused:
        Delivery(case).run(tmp_path)
    assert refused.value.reason == "PACKAGE_DIGEST"
    assert Delivery(case).run(tmp_path)[-1] == case.package.stat().st_size


def test_a_receipt_of_another_genesis_stops_the_fetch(case: SampleCase, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        Delivery(case).run(tmp_path, genesis="00" * 32)
    assert refused.value.reason == "GOVERNANCE_GENESIS"
    assert not any(tmp_path.iterdir())


def test_a_package_that_is_there_is_not_fetched_over(case: SampleCase, tmp_path: Path) -> None:
    Delivery(case).run(tmp_path)
    with pytest.raises(RefusedError) as refused:
        Delivery(case).run(tmp_path)
    assert refused.value.reason == "FILE_EXISTS"
