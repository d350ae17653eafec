"""`garim policy explain`: its JSON and its status."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from garim.cli.main import app
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC))


def explained(folder: Path, data: bytes, *options: str) -> tuple[int, Any]:
    file = folder / "document"
    file.write_bytes(data)
    arguments = ["policy", "explain", str(file), "--at", "2026-11-22T06:00:00Z", "--json", *options]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, json.loads(result.stdout)


def trust_of(folder: Path, pki: DocumentPki) -> list[str]:
    file = folder / "anchors.pem"
    file.write_text("".join(one.certificate for one in pki.anchors))
    return ["--trust", str(file)]


def test_an_accepted_document_ends_with_status_0(tmp_path: Path, pki: DocumentPki) -> None:
    data = documents.signed(pki, documents.disclosure(pki))
    code, value = explained(tmp_path, data, *trust_of(tmp_path, pki))
    assert code == 0
    assert value == {
        "format": "application/vnd.garim.document+jws",
        "signature": {
            "valid": True,
            "signer": [
                f"TEST 판사 한가람, {documents.COURT}",
                f"TEST 수사책임자 도하늘, {documents.AUTHORITY}",
            ],
            "reasons": ["REVOCATION_NOT_CHECKED"],
        },
        "accepted": True,
        "reasons": [],
    }


def test_a_refused_document_ends_with_status_1_and_every_reason_has_its_basis(
    tmp_path: Path, pki: DocumentPki
) -> None:
    members = documents.disclosure(pki, warrant_type="interception-permission")
    code, value = explained(tmp_path, documents.signed_alone(pki, members), *trust_of(tmp_path, pki))
    assert code == 1
    assert value["signature"]["signer"] == f"TEST 수사책임자 도하늘, {documents.AUTHORITY}"
    assert [(one["code"], one["field"]) for one in value["reasons"]] == [
        ("ROLES_WRONG", "signatures"),
        ("WARRANT_TYPE_REFUSED", "warrant_type"),
    ]
    assert all(one["basis"] for one in value["reasons"])


@pytest.mark.parametrize("option", [["--trust", "absent.pem"], ["--policy", "absent.yaml"], ["--at", "soon"]])
def test_what_cannot_be_read_ends_with_status_2(tmp_path: Path, pki: DocumentPki, option: list[str]) -> None:
    code, value = explained(tmp_path, documents.signed(pki, documents.disclosure(pki)), *option)
    assert code == 2
    assert value["error"]["reasons"]
    assert explained(tmp_path, b"\x00\x01")[0] == 2
