"""`garim trust`: what will be trusted is said before governance decides; chains are judged offline."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from garim.cli import trust_fetch
from garim.cli.main import app
from garim.documents.x509 import TrustPolicy, certificate_sha256
from garim.statements.governance import Governance, follow
from garim.statements.refusal import RefusedError
from garim.testing.governance import SampleGovernance
from garim.testing.pki import AUTHORITY, COURT, DocumentPki, make_pki

OTHER = "TEST 다른경찰청"


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(dt.datetime.now(dt.UTC))


@pytest.fixture
def version(tmp_path: Path, pki: DocumentPki) -> Path:
    sample = SampleGovernance("test.mesh", Ed25519PrivateKey.generate(), "test.mesh/log", 1_000)
    drawn = sample.current()
    terms = drawn.terms.model_copy(update={"max_crl_age": 30 * 86_400_000})
    path = tmp_path / "version.json"
    path.write_bytes(drawn.model_copy(update={"anchors": pki.anchors, "terms": terms}).to_bytes())
    return path


@pytest.fixture
def second(tmp_path: Path) -> Path:
    code, _ = run("dev", tmp_path / "second", "--agency", OTHER, "--court", "TEST 다른법원")
    assert code == 0
    return tmp_path / "second"


def run(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["trust", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def added(version: Path, second: Path, *more: object) -> tuple[int, dict[str, Any]]:
    out = version.parent / "next.json"
    head = ("add", second / "agency-ca.pem", "--role", "chief-investigator", "--governance", version)
    return run(*head, "--out", out, *more)


def codes(value: dict[str, Any]) -> list[str]:
    return [one["code"] for one in value["warnings"]]


def test_an_agency_that_governance_adds_is_accepted_and_refused_again_when_removed(
    version: Path, second: Path
) -> None:
    check = ("check", second / "people" / "chief.pem", "--crls", second / "crls", "--governance")
    assert run(*check, version)[1]["reasons"][0]["code"] == "CHAIN_UNTRUSTED"
    code, value = added(version, second, "--authority", OTHER, "--crls", second / "crls")
    assert (code, value["added"]["authorities"], codes(value["added"])) == (0, [OTHER], [])
    following = version.parent / "next.json"
    before = version.read_bytes()
    assert follow(Governance.from_bytes(before), before, following.read_bytes()).version == 2
    code, found = run(*check, following)
    assert (code, found["accepted"], found["role"]) == (0, True, "chief-investigator")
    again = version.parent / "again.json"
    head = ("remove", value["added"]["sha256"], "--governance", following, "--out", again)
    assert run(*head)[0] == 0
    code, found = run(*check, again)
    assert (code, [one["code"] for one in found["reasons"]]) == (1, ["CHAIN_UNTRUSTED"])


def test_a_production_mesh_is_warned_of_and_refuses_development_certificates(
    version: Path, second: Path
) -> None:
    drawn = Governance.from_bytes(version.read_bytes())
    version.write_bytes(drawn.model_copy(update={"environment": "production"}).to_bytes())
    _, value = added(version, second, "--authority", OTHER)
    assert codes(value["added"]) == ["no-crl", "development"]
    chain = second / "people" / "chief.pem"
    code, found = run("check", chain, "--crls", second / "crls", "--governance", version.parent / "next.json")
    assert (code, [one["code"] for one in found["reasons"]]) == (1, ["TRUST_DEVELOPMENT"])


def test_what_to_think_about_is_said(version: Path, second: Path) -> None:
    assert codes(added(version, second, "--authority", AUTHORITY)[1]["added"]) == ["no-crl", "overlap"]
    out = version.parent / "court.json"
    head = ("add", second / "court-ca.pem", "--role", "court", "--governance", version, "--out", out)
    assert codes(run(*head)[1]["added"]) == ["no-crl", "overlap", "every-court"]
    (version.parent / "next.json").unlink()
    code, said = added(version, second)
    assert (code, said["error"]["reasons"][0]["field"]) == (1, "authority")


def test_the_same_authority_is_not_added_twice(version: Path, pki: DocumentPki, tmp_path: Path) -> None:
    (tmp_path / "agency-ca.pem").write_text(pki.agency_ca.pem)
    code, said = added(version, tmp_path, "--authority", OTHER)
    assert (code, said["error"]["reasons"][0]["reason"]) == (1, "TRUST_AMBIGUOUS")
    assert not (tmp_path / "next.json").exists()


def test_every_reason_against_a_chain_is_told(version: Path, pki: DocumentPki, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(pki.wrong_role.chain_pem())
    code, found = run("check", tmp_path / "chain.pem", "--governance", version)
    wanted = ["ROLE_MISSING", "ORGANISATION_NOT_ALLOWED"]
    assert (code, [one["code"] for one in found["reasons"]]) == (1, wanted)


def test_who_is_trusted_is_listed_with_the_days_its_revocation_list_lasts(
    version: Path, pki: DocumentPki, tmp_path: Path
) -> None:
    (tmp_path / "crls").mkdir()
    (tmp_path / "crls" / "a.crl").write_bytes(pki.agency_ca.crl(pki.now, lasts=dt.timedelta(days=2)))
    code, value = run("list", "--governance", version, "--crls", tmp_path / "crls")
    court, agency = value["anchors"]
    assert (code, court["authorities"], court["crl_days_left"], codes(court)) == (
        0,
        [COURT],
        None,
        ["no-crl"],
    )
    assert 1.9 < agency["crl_days_left"] <= 2
    assert codes(agency) == ["crl-stale-soon"]
    assert agency["sha256"] == certificate_sha256(pki.agency_ca.certificate)


def test_a_development_pki_says_test_and_hides_its_keys(second: Path) -> None:
    for path in second.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".pem", path
    assert "TEST" in (second / "README.txt").read_text()
    assert run("dev", second)[1]["error"]["reasons"][0]["reason"] == "FILE_EXISTS"
    code, said = run("dev", second.parent / "third", "--court", "한빛지방법원")
    assert (code, said["error"]["reasons"][0]["field"]) == (1, "court")


def test_refreshing_keeps_the_newest_list_that_counts(
    version: Path, pki: DocumentPki, tmp_path: Path
) -> None:
    into, source = tmp_path / "crls", tmp_path / "new.crl"
    head = ("refresh", "--governance", version, "--into", into, "--source", source)
    for number, state in ((5, "kept"), (4, "not newer"), (6, "kept")):
        source.write_bytes(pki.agency_ca.crl(pki.now, number=number))
        code, value = run(*head)
        assert (code, value["lists"][0]["state"]) == (0, state)
    (kept,) = into.iterdir()
    assert kept.read_bytes() == source.read_bytes()
    source.write_bytes(make_pki(pki.now).agency_ca.crl(pki.now, number=9))
    code, value = run(*head)
    assert (code, value["lists"][0]["reason"]) == (1, "CRL_ISSUER_UNKNOWN")


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/list")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 3_000)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_list_is_fetched_within_limits(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    base = f"http://127.0.0.1:{server.server_port}"
    assert len(trust_fetch.fetch(f"{base}/list?a=b")) == 3_000
    for url in (f"{base}/moved", "http://127.0.0.1:1/", "http://[", "https://127.0.0.1:99999/"):
        with pytest.raises((RefusedError), match="CRL_FETCH"):
            trust_fetch.fetch(url)
    ticks = iter([0.0, *[1_000.0] * 99])
    with pytest.raises(RefusedError, match="CRL_FETCH"):
        trust_fetch.fetch(f"{base}/list", lambda: next(ticks))
    monkeypatch.setattr(trust_fetch, "MAX_CRL_BYTES", 2_999)
    with pytest.raises(RefusedError, match="CRL_SIZE"):
        trust_fetch.fetch(f"{base}/list")


def test_a_stale_list_is_not_kept(version: Path, pki: DocumentPki, tmp_path: Path) -> None:
    trust = TrustPolicy.of(Governance.from_bytes(version.read_bytes()))
    now_ms = int(pki.now.timestamp() * 1000)
    old = pki.agency_ca.crl(pki.now - dt.timedelta(days=60))
    with pytest.raises(RefusedError, match="CRL_STALE"):
        trust_fetch.keep_newer(old, tmp_path / "crls", trust, now_ms)
