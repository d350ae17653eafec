from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from garim.kit.db import Database
from garim.kit.migrations import downgrade, upgrade
from garim.kit.settings import load_settings
from garim.statements.refusal import RefusedError
from garim.testing.pki import DocumentPki
from garim.warrants.cases import State
from garim.warrants.keys import load_statement_key, pinned_check
from garim.warrants.settings import WarrantsSettings
from garim.warrants.tables import metadata
from warrants_support.desk import MIGRATIONS, Desk


def write_key(path: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(mode)
    return path


def test_the_statement_key_is_read_from_a_private_file(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    loaded = load_statement_key(write_key(tmp_path / "key.pem", key))
    assert loaded.private_bytes_raw() == key.private_bytes_raw()


def test_a_statement_key_that_others_may_read_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="KEY_FILE_MODE"):
        load_statement_key(write_key(tmp_path / "wide.pem", Ed25519PrivateKey.generate(), 0o640))
    with pytest.raises(RefusedError, match="FILE_MISSING"):
        load_statement_key(tmp_path / "none.pem")
    with pytest.raises(RefusedError, match="KEY_FILE_FORMAT"):
        load_statement_key(write_key(tmp_path / "ec.pem", ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "text.pem").touch(mode=0o600)
    with pytest.raises(RefusedError, match="KEY_FILE_FORMAT"):
        load_statement_key(tmp_path / "text.pem")


def test_a_key_that_governance_does_not_pin_makes_the_service_not_ready() -> None:
    key = Ed25519PrivateKey.generate()
    pinned_check(key, lambda: [key.public_key().public_bytes_raw()])()
    with pytest.raises(RefusedError, match="STATEMENT_KEY"):
        pinned_check(key, list)()


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


def test_migrations_make_the_tables_of_the_code_and_take_them_down(tmp_path: Path) -> None:
    database = Database(tmp_path / "warrants.db")
    upgrade(database, MIGRATIONS)
    with database.reading() as connection:
        made = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
    assert made == set(metadata.tables)
    downgrade(database, MIGRATIONS, "base")
    with database.reading() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    upgrade(database, MIGRATIONS)
    database.close()


def test_data_survives_migrating_again(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    desk.restart()
    assert desk.tables.by_id(case.id) == case


def test_without_a_fresh_revocation_list_documents_are_refused(desk: Desk) -> None:
    for path in desk.crls.iterdir():
        path.unlink()
    assert desk.reasons(desk.disclosure()) == ["CRL_MISSING", "CRL_MISSING"]


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
