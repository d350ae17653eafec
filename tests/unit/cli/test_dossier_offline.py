from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli_support.world import PERSON, PHONE, SampleCase
from garim.cli.document_commands import read_attachments
from garim.cli.main import app
from garim.cli.mesh_setup import AGE_IDENTITY
from garim.documents.claims import Supplementary, read_claims
from garim.statements.refusal import RefusedError


def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [*(str(one) for one in arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def reason(said: dict[str, Any]) -> str:
    return str(said["error"]["reasons"][0]["reason"])


def identity(case: SampleCase) -> Path:
    return case.world.places.agency / AGE_IDENTITY


def test_a_package_opens_for_its_recipient_and_verifies_offline(case: SampleCase, tmp_path: Path) -> None:
    out = tmp_path / "opened"
    status, _ = run("dossier", "open", case.package, "--identity", identity(case), "--out", out)
    assert status == 0
    status, said = run(
        *("dossier", "verify", "--receipt", case.receipt_path, "--package", case.package),
        *("--opened", out, "--genesis", case.world.genesis),
    )
    assert status == 0
    assert said["checked"] == ["governance", "receipt", "log", "package", "messages", "identities"]
    assert not [path for path in tmp_path.iterdir() if path != out], "no plaintext is left beside it"


def _other_genesis(case: SampleCase, _out: Path) -> list[str | Path]:
    return ["--genesis", "00" * 32]


def _bent_message(_case: SampleCase, out: Path) -> list[str | Path]:
    path = out / "messages.jsonl"
    path.write_bytes(path.read_bytes().replace("물건은".encode(), "물건을".encode()))
    return []


def _missing_message(_case: SampleCase, out: Path) -> list[str | Path]:
    path = out / "messages.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return []


def _missing_identity(_case: SampleCase, out: Path) -> list[str | Path]:
    path = out / "identities.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return []


def _bent_package(case: SampleCase, out: Path) -> list[str | Path]:
    bent = out.parent / "bent.age"
    bent.write_bytes(case.package.read_bytes()[:-1] + b"\x00\x00")
    return ["--package", bent]


def _bent_receipt(case: SampleCase, out: Path) -> list[str | Path]:
    bent = out.parent / "bent.json"
    value = json.loads(case.receipt_path.read_bytes())
    value["receipt"]["proof"]["salt"] = "00" * 32
    bent.write_text(json.dumps(value))
    return ["--receipt", bent]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (_other_genesis, "GOVERNANCE_GENESIS"),
        (_bent_message, "PACKAGE_MESSAGES"),
        (_missing_message, "PACKAGE_MESSAGES"),
        (_missing_identity, "PACKAGE_IDENTITIES"),
        (_bent_package, "PACKAGE_DIGEST"),
        (_bent_receipt, "LOG_COMMITMENT"),
    ],
)
def test_verify_refuses_whatever_was_changed(
    case: SampleCase, tmp_path: Path, fault: Any, expected: str
) -> None:
    out = tmp_path / "opened"
    shutil.copytree(case.opened, out)
    arguments: list[str | Path] = ["--receipt", case.receipt_path, "--opened", out]
    arguments += ["--genesis", case.world.genesis]
    status, said = run("dossier", "verify", *arguments, *fault(case, out))
    assert (status, reason(said)) == (1, expected)


def test_another_identity_opens_nothing_and_leaves_nothing(case: SampleCase, tmp_path: Path) -> None:
    import pyrage

    other = tmp_path / "other.agekey"
    other.write_text(f"# TEST\n{pyrage.x25519.Identity.generate()}\n")
    other.chmod(0o600)
    status, said = run("dossier", "open", case.package, "--identity", other, "--out", tmp_path / "o")
    assert (status, reason(said)) == (1, "AGE_DECRYPT")
    assert not (tmp_path / "o").exists()
    other.write_text("not an identity")
    status, said = run("dossier", "open", case.package, "--identity", other, "--out", tmp_path / "o")
    assert (status, reason(said)) == (1, "AGE_IDENTITY")


def test_a_package_is_not_opened_over_another(case: SampleCase, tmp_path: Path) -> None:
    out = tmp_path / "opened"
    assert run("dossier", "open", case.package, "--identity", identity(case), "--out", out)[0] == 0
    status, said = run("dossier", "open", case.package, "--identity", identity(case), "--out", out)
    assert (status, reason(said)) == (1, "PACKAGE_EXISTS")


def test_show_prints_masked_messages_only_when_asked(case: SampleCase) -> None:
    result = CliRunner().invoke(app, ["dossier", "show", str(case.opened), "--limit", "2"])
    assert "C1-0002" in result.stdout
    assert PERSON in result.stdout
    assert "C1-0003" not in result.stdout


def draft(case: SampleCase, out: Path, *pseudonyms: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    agency = case.world.places.agency
    named = [part for one in pseudonyms for part in ("--pseudonym", one)]
    return run(
        *("unmask", "draft", changes.get("folder", case.opened), "--receipt", case.receipt_path, *named),
        *("--audience", case.world.governance.audience, "--court", "TEST 한빛지방법원", "--number", "TEST-2"),
        *("--recipient", agency / "recipient.txt", "--acknowledger", agency / "clerk.pem"),
        *("--out", out, "--genesis", case.world.genesis, *changes.get("further", ())),
    )


def test_a_second_request_is_drafted_with_its_sealed_identities_beside_it(
    case: SampleCase, tmp_path: Path
) -> None:
    out = tmp_path / "second.json"
    status, said = draft(case, out, f"{PHONE}=C1-0003", PERSON)
    assert status == 0, said
    claims = read_claims(out.read_bytes())
    assert isinstance(claims, Supplementary)
    assert [one.pseudonym for one in claims.identities] == [PERSON, PHONE]
    assert [ground.message for ground in claims.identities[0].grounds] == ["C1-0002", "C1-0003"]
    assert claims.first_document == case.first.digest
    attached = read_attachments(Path(said["attachments"]))
    assert attached == [case.sealed[PERSON], case.sealed[PHONE]]
    status, drawn = draft(case, tmp_path / "second.pdf", f"{PHONE}=C1-0003", PERSON, further=["--pdf"])
    assert (status, drawn["identities"]) == (0, 2)
    assert (tmp_path / "second.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["P-00000-00000"], "PSEUDONYM_UNKNOWN"),
        ([f"{PERSON}=C9-0001"], "MESSAGE_UNKNOWN"),
        ([f"{PERSON}=C1-0001"], "GROUND_PSEUDONYM"),
        ([PERSON, PERSON], "PSEUDONYM_REPEATED"),
    ],
)
def test_a_second_request_without_grounds_in_the_dossier_is_refused(
    case: SampleCase, tmp_path: Path, named: list[str], expected: str
) -> None:
    status, said = draft(case, tmp_path / "second.json", *named)
    assert (status, reason(said)) == (1, expected)
    assert not (tmp_path / "second.json").exists()


def test_no_second_request_is_drafted_from_a_changed_package(case: SampleCase, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    shutil.copytree(case.opened, opened)
    _bent_message(case, opened)
    status, said = draft(case, tmp_path / "second.json", PERSON, folder=opened)
    assert (status, reason(said)) == (1, "PACKAGE_MESSAGES")


def test_an_empty_folder_of_attachments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        read_attachments(tmp_path)
    assert refused.value.reason == "ATTACHMENTS"


def test_one_log_entry_is_opened_offline(case: SampleCase, tmp_path: Path) -> None:
    value = json.loads(case.receipt_path.read_bytes())["receipt"]
    path, governance = tmp_path / "logged.json", case.world.places.governance / "version-1.json"
    path.write_text(json.dumps(value))
    arguments: tuple[str | Path, ...] = ("audit", "open", path, "--service", "custody")
    status, said = run(*arguments, "--governance", governance, "--type", "dossier-closed")
    assert (status, said["type"]) == (0, "dossier-closed")
    status, said = run(*arguments, "--governance", governance, "--type", "approval")
    assert (status, reason(said)) == (1, "LOG_TYPE")
