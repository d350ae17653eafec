from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from garim.kit.settings import load_settings
from garim.statements.refusal import RefusedError
from garim.testing.operator import OperatorGovernance
from garim.testing.pki import DocumentPki
from garim.warrants.machine import State
from garim.warrants.settings import WarrantsSettings
from warrants_support.desk import Desk


def test_settings_are_closed(tmp_path: Path) -> None:
    text = """
mesh = "test.mesh"
governance_genesis = "%s"
listen = "127.0.0.1:0"
health_listen = "127.0.0.1:0"
statement_key = "statement.key"
policy_file = "kr.yaml"
crls_folder = "crls"
[database]
path = "warrants.db"
[tls]
certificate = "a.pem"
key = "a.key"
trust = "ca.pem"
""" % ("ab" * 32)
    path = tmp_path / "settings.toml"
    path.write_text(text)
    settings = load_settings(path, WarrantsSettings)
    assert settings.crls_folder == tmp_path / "crls"
    path.write_text("refuse_nothing = true\n" + text)
    with pytest.raises(RefusedError, match="SETTING_UNKNOWN"):
        load_settings(path, WarrantsSettings)
    path.write_text(text.replace('policy_file = "kr.yaml"\n', ""))
    with pytest.raises(RefusedError, match="SETTING_MISSING"):
        load_settings(path, WarrantsSettings)


def test_data_survives_migrating_again(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    desk.restart()
    assert desk.tables.by_id(case.id) == case


def test_without_a_fresh_revocation_list_documents_are_refused(desk: Desk) -> None:
    for path in desk.crls.iterdir():
        path.unlink()
    assert desk.reasons(desk.disclosure()) == ["CRL_MISSING", "CRL_MISSING"]


def test_warrants_in_production_refuses_certificates_marked_for_development(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = desk.operator.governance.current().model_copy(update={"environment": "production"})
    monkeypatch.setattr(OperatorGovernance, "current", lambda _self: production)
    assert desk.reasons(desk.disclosure()) == ["TRUST_DEVELOPMENT"] * 2


def test_a_list_taken_away_or_rolled_back_brings_no_revoked_certificate_back(desk: Desk) -> None:
    pki: DocumentPki = desk.pki
    path = desk.crls / "1.crl"
    old = path.read_bytes()
    path.write_bytes(pki.agency_ca.crl(pki.now, [pki.chief.certificate], number=2))
    assert desk.reasons(desk.disclosure()) == ["CERTIFICATE_REVOKED"]
    path.write_bytes(old)
    assert desk.reasons(desk.disclosure()) == ["CERTIFICATE_REVOKED"]
    path.unlink()
    desk.restart()
    assert desk.reasons(desk.disclosure()) == ["CERTIFICATE_REVOKED"]


def test_what_is_no_revocation_list_is_passed_over(desk: Desk) -> None:
    (desk.crls / "junk.pem").write_text("no list")
    stale = desk.pki.agency_ca.crl(desk.pki.now - dt.timedelta(days=60), number=9)
    (desk.crls / "stale.der").write_bytes(stale)
    (desk.crls / "README.txt").write_text("for people")
    assert desk.open_case(desk.disclosure()).state is State.GRANTED


def test_no_folder_is_no_list(desk: Desk) -> None:
    for path in desk.crls.iterdir():
        path.unlink()
    desk.crls.rmdir()
    assert desk.reasons(desk.disclosure()) == ["CRL_MISSING", "CRL_MISSING"]
