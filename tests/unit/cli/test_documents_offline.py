from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli_support.world import SampleCase, World
from garim.cli.main import app
from garim.documents.claims import Disclosure, Preservation, Revocation, read_claims


def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, json.loads(result.stdout) if result.stdout.strip() else {}


def reasons(said: dict[str, Any]) -> set[str]:
    return {one["reason"] for one in said["error"]["reasons"]}


def disclosure(world: World, out: Path, **changes: str) -> list[str]:
    options = {
        "audience": world.governance.audience,
        "authority": "TEST 한빛지방검찰청",
        "court": "TEST 한빛지방법원",
        "number": "TEST-9",
        "case": "TEST-9",
        "subject": "phone:010-0000-1234",
        "from": "2026-01-01",
        "to": "2026-01-02",
        "recipient": str(world.places.agency / "recipient.txt"),
        "acknowledger": str(world.places.agency / "clerk.pem"),
        "offence": "drugs",
    } | changes
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return ["document", "draft", "disclosure", *given, "--out", str(out), "--json"]


def test_a_draft_is_signed_twice_and_then_shows_who_signed(world: World, tmp_path: Path) -> None:
    draft, half, whole = (tmp_path / name for name in ("draft.json", "half.json", "whole.json"))
    assert run(*disclosure(world, draft))[0] == 0
    claims = read_claims(draft.read_bytes())
    assert isinstance(claims, Disclosure)
    assert claims.subjects[0].value == "+821000001234"
    agency = world.places.agency
    for source, target, name in ((draft, half, "judge"), (half, whole, "chief")):
        key, chain = agency / f"{name}.key", agency / f"{name}.pem"
        status, said = run(
            "document", "sign", source, "--key", key, "--chain", chain, "--out", target, "--json"
        )
        assert status == 0, said
    status, said = run("document", "show", whole, "--mesh", world.root, "--json")
    assert status == 0
    assert said["verified"] is True
    assert {one["role"] for one in said["signers"]} == {"court", "chief-investigator"}


def test_a_preservation_order_and_a_revocation_are_drafted(case: SampleCase, tmp_path: Path) -> None:
    world, out = case.world, tmp_path / "out.json"
    arguments = disclosure(world, out)
    arguments[2] = "preservation"
    for option in ("--recipient", "--acknowledger", "--offence"):
        position = arguments.index(option)
        del arguments[position : position + 2]
    assert run(*arguments, "--until", "2027-01-01")[0] == 0
    assert isinstance(read_claims(out.read_bytes()), Preservation)
    warrant = tmp_path / "warrant.json"
    warrant.write_bytes(case.warrant)
    status, said = run(
        *("document", "draft", "revocation", warrant, "--audience", world.governance.audience),
        *("--court", "TEST 한빛지방법원", "--number", "TEST-10", "--reason", "TEST closed"),
        *("--out", out, "--json"),
    )
    assert status == 0, said
    revocation = read_claims(out.read_bytes())
    assert isinstance(revocation, Revocation)
    assert revocation.revokes.sha256 == case.first.digest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"subject": "nobody"}, "SUBJECT_FORM"),
        ({"subject": "phone:12"}, "FIELD_VALUE"),
        ({"to": "yesterday"}, "FIELD_VALUE"),
        ({"to": "2025-12-31"}, "FIELD_VALUE"),
        ({"mode": "open"}, "FIELD_VALUE"),
        ({"recipient": "absent.txt"}, "FILE_MISSING"),
        ({"acknowledger": "absent.pem"}, "FILE_MISSING"),
    ],
)
def test_a_wrong_draft_is_refused_and_not_written(
    world: World, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    out = tmp_path / "draft.json"
    status, said = run(*disclosure(world, out, **changes))
    assert status == 1
    assert reason in reasons(said)
    assert not out.exists()


def test_showing_a_document_names_what_is_wrong_with_it(case: SampleCase, tmp_path: Path) -> None:
    world, path = case.world, tmp_path / "document.json"
    faults = {
        b"{": "JSON_SYNTAX",
        b'{"payload": 1, "signatures": []}': "ENVELOPE_MEMBERS",
        case.first.payload.replace(b'"mode"', b'"modus"'): "FIELD_UNKNOWN",
        world.sign(case.first.payload, "judge"): "ROLES_WRONG",
        world.sign(case.first.payload, "judge", "judge"): "SAME_CERTIFICATE",
    }
    for data, reason in faults.items():
        path.write_bytes(data)
        status, said = run("document", "show", path, "--mesh", world.root, "--json")
        assert status == 1
        assert reason in reasons(said)


def test_a_key_that_others_can_read_signs_nothing(world: World, tmp_path: Path, case: SampleCase) -> None:
    key = tmp_path / "judge.key"
    key.write_bytes((world.places.agency / "judge.key").read_bytes())
    key.chmod(0o644)
    draft = tmp_path / "draft.json"
    draft.write_bytes(case.first.payload)
    chain = world.places.agency / "judge.pem"
    status, said = run(
        "document", "sign", draft, "--key", key, "--chain", chain, "--out", tmp_path / "o", "--json"
    )
    assert (status, reasons(said)) == (1, {"KEY_FILE_MODE"})


def test_a_key_of_another_certificate_signs_nothing(world: World, tmp_path: Path, case: SampleCase) -> None:
    draft = tmp_path / "draft.json"
    draft.write_bytes(case.first.payload)
    agency = world.places.agency
    status, said = run(
        *("document", "sign", draft, "--key", agency / "judge.key", "--chain", agency / "chief.pem"),
        *("--out", tmp_path / "o", "--json"),
    )
    assert (status, reasons(said)) == (1, {"KEY_ALGORITHM_MISMATCH"})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("mesh", "status", "--mesh", "{tmp}/none"), "MESH_MISSING"),
        (("mesh", "down", "--mesh", "{tmp}/none"), "MESH_MISSING"),
        (("mesh", "up", "--mesh", "{tmp}"), "MESH_FOLDER"),
        (("review", "list", "--mesh", "{mesh}"), "PERSON_AMBIGUOUS"),
        (("review", "list", "--mesh", "{mesh}", "--as", "nobody"), "PERSON_UNKNOWN"),
        (("review", "list", "--mesh", "{mesh}", "--as", "custodian/ga-on"), "PERSON_ROLE"),
        (("review", "list", "--mesh", "{mesh}", "--as", "reviewer/../x"), "PERSON_ROLE"),
        (("review", "show", "12", "--mesh", "{mesh}", "--as", "bo-ra"), "ID_FORM"),
        (("dossier", "build", "zz", "--mesh", "{mesh}"), "ID_FORM"),
        (("import", "{tmp}/absent.txt", "--mesh", "{mesh}"), "CHAT_FILE"),
        (("import", "{tmp}/other.txt", "--mesh", "{mesh}"), "CHAT_FORMAT_UNKNOWN"),
        (("import", "{tmp}/other.txt", "--mesh", "{mesh}", "--roster", "{tmp}/other.txt"), "ROSTER_FILE"),
        (("document", "submit", "{tmp}/absent.json", "--mesh", "{mesh}"), "FILE_MISSING"),
        (("dossier", "open", "{tmp}/absent", "--identity", "{tmp}/i", "--out", "{tmp}/o"), "FILE_MISSING"),
        (("dossier", "show", "{tmp}"), "PACKAGE_FORMAT"),
        (("dossier", "verify", "--receipt", "{tmp}/other.txt", "--genesis", "00"), "JSON_SYNTAX"),
    ],
)
def test_bad_input_ends_with_a_reason_and_status_1(
    mesh: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "other.txt").write_text("this is no chat\n")
    given = [one.replace("{tmp}", str(tmp_path)).replace("{mesh}", str(mesh)) for one in arguments]
    status, said = run(*given, "--json")
    assert (status, reasons(said)) == (1, {reason})


def test_people_read_the_reason_the_field_and_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["mesh", "status", "--mesh", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "MESH_MISSING" in result.stderr
    assert "garim mesh up" in result.stderr
    assert result.stdout == ""


def test_every_command_has_json() -> None:
    from typer.main import get_command

    def leaves(command: Any, path: str) -> list[tuple[str, Any]]:
        under = getattr(command, "commands", None)
        if not under:
            return [(path, command)]
        return [leaf for name, one in under.items() for leaf in leaves(one, f"{path} {name}")]

    commands = leaves(get_command(app), "garim")
    assert len(commands) > 35
    without = [path for path, one in commands if "--json" not in {o for p in one.params for o in p.opts}]
    assert without == []
