"""A warrant as PDF with the command line alone: drafted, signed twice, shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli_support.world import World
from garim.cli.main import app
from garim.documents.pdf import open_pdf


def _run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, json.loads(result.stdout) if result.stdout.strip() else {}


def _drafted(world: World, out: Path) -> dict[str, Any]:
    status, said = _run(
        *("document", "draft", "disclosure", "--audience", world.governance.audience),
        *("--authority", "TEST 한빛지방검찰청", "--court", "TEST 한빛지방법원", "--number", "TEST-9"),
        *("--case", "TEST-9", "--subject", "phone:010-0000-1234", "--offence", "drugs"),
        *("--from", "2026-01-01", "--to", "2026-01-02"),
        *("--recipient", world.places.agency / "recipient.txt"),
        *("--acknowledger", world.places.agency / "clerk.pem", "--pdf", "--out", out, "--json"),
    )
    assert status == 0, said
    return said


def _signed(world: World, source: Path, target: Path, name: str) -> tuple[int, dict[str, Any]]:
    agency = world.places.agency
    key, chain = agency / f"{name}.key", agency / f"{name}.pem"
    return _run("document", "sign", source, "--key", key, "--chain", chain, "--out", target, "--json")


def test_a_pdf_is_drafted_signed_twice_and_then_shows_who_signed(world: World, tmp_path: Path) -> None:
    draft, half, whole = (tmp_path / name for name in ("draft.pdf", "half.pdf", "whole.pdf"))
    drafted = _drafted(world, draft)
    assert draft.read_bytes().startswith(b"%PDF-")
    for count, (source, target, name) in enumerate(((draft, half, "judge"), (half, whole, "chief")), 1):
        status, said = _signed(world, source, target, name)
        assert (status, said["signatures"], said["digest"]) == (0, count, drafted["digest"])
    status, said = _run("document", "show", whole, "--mesh", world.root, "--json")
    assert status == 0, said
    assert said["verified"] is True
    assert said["digest"] == drafted["digest"]
    assert {one["role"] for one in said["signers"]} == {"court", "chief-investigator"}
    assert len(open_pdf(whole.read_bytes()).chains) == 2


def test_a_pdf_that_would_be_refused_is_not_signed_as_if_it_were_a_document(
    world: World, tmp_path: Path
) -> None:
    draft, bent, out = (tmp_path / name for name in ("draft.pdf", "bent.pdf", "out.pdf"))
    _drafted(world, draft)
    bent.write_bytes(draft.read_bytes().replace(b"/AFRelationship /Data", b"/AFRelationship /Dato"))
    status, said = _signed(world, bent, out, "judge")
    assert status != 0
    assert {one["reason"] for one in said["error"]["reasons"]} == {"PDF_EMBEDDED_FILE"}
    assert not out.exists()


def test_a_half_signed_pdf_is_not_shown_as_a_document(world: World, tmp_path: Path) -> None:
    draft, half = tmp_path / "draft.pdf", tmp_path / "half.pdf"
    _drafted(world, draft)
    assert _signed(world, draft, half, "judge")[0] == 0
    status, said = _run("document", "show", half, "--mesh", world.root, "--json")
    assert status != 0
    assert {one["reason"] for one in said["error"]["reasons"]} == {"ENVELOPE_SIGNATURES"}
