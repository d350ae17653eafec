from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from cli_support.world import World
from garim.cli import keyfiles
from garim.cli.governance_commands import demand_follows
from garim.cli.main import app
from garim.statements import dsse, governance
from garim.statements.governance import Governance, raw_key, verify_genesis
from garim.statements.refusal import RefusedError

PEOPLE = ("custodian-ga-on", "custodian-na-rae", "custodian-da-som", "reviewer-ma-ru", "reviewer-bo-ra")


@pytest.fixture
def plan(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keyfiles, "LOG2_COST", 10)
    for name in ("log", "messages", "warrants", "custody"):
        public = Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pem").write_bytes(pem)
    for position, anchor in enumerate(world.governance.anchors):
        (tmp_path / f"anchor{position}.pem").write_text(anchor.certificate)
    (tmp_path / "kr.yaml").write_bytes(world.places.policy.read_bytes())
    (tmp_path / "passphrases").mkdir()
    for whose in PEOPLE:
        path = tmp_path / "passphrases" / whose
        path.write_text(f"passphrase of {whose}\n")
        path.chmod(0o600)
    path = tmp_path / "plan.toml"
    path.write_text(
        """
mesh = "demo.example"
audience = "TEST operator"
custodians = ["ga-on", "na-rae", "da-som"]
quorum = 2
reviewers = ["ma-ru", "bo-ra"]
review_quorum = 2
policy = "kr.yaml"
log = {origin = "demo.example/log", key = "log.pem"}
services = [
  {service = "messages", instance = "store-1", key = "messages.pem"},
  {service = "warrants", instance = "warrants", key = "warrants.pem"},
  {service = "custody", instance = "custody", key = "custody.pem"},
]
anchors = [
  {role = "court", certificate = "anchor0.pem", authorities = []},
  {role = "chief-investigator", certificate = "anchor1.pem", authorities = ["TEST agency"]},
]
"""
    )
    return path


def init(plan: Path, *more: str) -> tuple[int, dict[str, object]]:
    folder = plan.parent
    arguments = ["governance", "init", str(plan), "--people", str(folder / "people"), "--json"]
    arguments += ["--out", str(folder / "governance"), "--passphrases", str(folder / "passphrases"), *more]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, json.loads(result.stdout)


def test_init_makes_a_genesis_that_every_custodian_signed(plan: Path) -> None:
    status, said = init(plan)
    assert status == 0, said
    folder = plan.parent / "governance"
    document = (folder / "version-1.json").read_bytes()
    decisions = [dsse.from_json(one) for one in json.loads((folder / "decisions-1.json").read_text())]
    genesis = (folder / "genesis").read_text().strip()
    assert genesis == said["genesis"]
    first = verify_genesis(document, decisions, genesis)
    assert [one.person for one in first.custodians] == ["da-som", "ga-on", "na-rae"]
    assert (first.quorum, first.review_quorum) == (2, 2)
    assert first.terms.retention == 3 * 24 * 3_600_000


def test_every_persons_keys_lie_in_files_of_their_own(plan: Path) -> None:
    assert init(plan)[0] == 0
    first = Governance.from_bytes((plan.parent / "governance" / "version-1.json").read_bytes())
    publics = {one.person: one.decision_key for one in (*first.custodians, *first.reviewers)}
    for whose in PEOPLE:
        role, _, name = whose.partition("-")
        folder = plan.parent / "people" / whose
        files = {"decision.key", "share.key"} if role == "custodian" else {"decision.key"}
        assert {path.name for path in folder.iterdir()} == files
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
        with keyfiles.passphrase_of(plan.parent / "passphrases" / whose, None, whose) as passphrase:
            key = keyfiles.read_decision_key(folder / "decision.key", passphrase)
        assert key.public_key().public_bytes_raw() == raw_key(publics[name])


def test_init_over_an_existing_governance_changes_nothing(plan: Path) -> None:
    assert init(plan)[0] == 0
    before = {path: path.read_bytes() for path in plan.parent.rglob("*") if path.is_file()}
    status, said = init(plan)
    assert status == 1
    assert said["error"]["reasons"][0]["reason"] == "FILE_EXISTS"  # type: ignore[index]
    assert {path: path.read_bytes() for path in plan.parent.rglob("*") if path.is_file()} == before


def test_init_never_writes_over_keys(plan: Path) -> None:
    assert init(plan)[0] == 0
    status, said = init(plan, "--out", str(plan.parent / "elsewhere"))
    assert status == 1
    assert said["error"]["reasons"][0]["reason"] == "FILE_EXISTS"  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("quorum = 2\nreviewers", "quorum = 3\nreviewers", "FIELD_VALUE"),
        ("quorum = 2\nreviewers", "quorum = 1\nreviewers", "FIELD_VALUE"),
        ('"na-rae", "da-som"]', '"na-rae"]', "FIELD_VALUE"),
        ("review_quorum = 2", "review_quorum = 3", "FIELD_VALUE"),
        ('"bo-ra"]', '"ga-on"]', "FIELD_VALUE"),
        ("audience", "audiense", "FIELD_UNKNOWN"),
        ("quorum = 2\nreviewers", "reviewers", "FIELD_MISSING"),
        ("[", "[[[", "PLAN_SYNTAX"),
        ("custody.pem", "kr.yaml", "KEY_FILE"),
        ("anchor0.pem", "log.pem", "CERTIFICATE_INVALID"),
        ("kr.yaml", "absent.yaml", "FILE_MISSING"),
    ],
)
def test_a_wrong_plan_makes_nothing_at_all(plan: Path, old: str, new: str, reason: str) -> None:
    text = plan.read_text()
    assert old in text
    plan.write_text(text.replace(old, new, 1))
    status, said = init(plan)
    assert status == 1
    assert reason in {one["reason"] for one in said["error"]["reasons"]}  # type: ignore[index]
    assert not (plan.parent / "people").exists()
    assert not (plan.parent / "governance").exists()


def test_a_proposal_must_follow_the_version_in_force(world: World) -> None:
    members = json.loads(world.document)
    members |= {"version": 2, "previous": governance.digest(world.document), "issued": world.now_ms + 1}
    follows = Governance.from_json(members).to_bytes()
    assert demand_follows(follows, world.document, world.governance, None).version == 2
    for change in ({"version": 3}, {"previous": "00" * 32}, {"mesh": "other.example"}):
        bent = Governance.from_json(members | change).to_bytes()
        with pytest.raises(RefusedError) as refused:
            demand_follows(bent, world.document, world.governance, None)
        assert refused.value.reason == "GOVERNANCE_VERSION"
