"""The throwaway PKI: marked as such, usable for mutual TLS, keys kept private."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from garim.testing.pki import DocumentPki, MeshPki, make_mesh, write_identity


@pytest.fixture(scope="module")
def mesh(pki: DocumentPki) -> MeshPki:
    return make_mesh("test-mesh", pki.now)


def test_every_certificate_says_test(pki: DocumentPki, mesh: MeshPki) -> None:
    identities = [pki.judge, pki.chief, pki.clerk, pki.wrong_role, pki.expired, pki.revoked]
    certificates = [one.certificate for one in [*identities, mesh.issue("service/custody")]]
    certificates += [pki.court_ca.certificate, pki.agency_ca.certificate, mesh.ca.certificate]
    for certificate in certificates:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        assert str(common).startswith("TEST ")


@pytest.mark.parametrize("path", ["service/custody", "person/custodian/hangaram"])
def test_a_mesh_identity_has_its_spiffe_id_and_serves_on_loopback(mesh: MeshPki, path: str) -> None:
    leaf = mesh.issue(path).certificate
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://test-mesh/{path}"]
    builder = verification.PolicyBuilder().time(mesh.now).store(verification.Store([mesh.ca.certificate]))
    assert builder.build_server_verifier(x509.DNSName("localhost")).verify(leaf, [])
    assert builder.build_client_verifier().verify(leaf, []).subjects


def test_a_written_identity_is_whole_and_its_key_private(mesh: MeshPki, tmp_path: Path) -> None:
    folder = tmp_path / "custody"
    mesh.write(folder, "custody", "service/custody")
    key = folder / "custody.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    leaf = x509.load_pem_x509_certificate((folder / "custody.pem").read_bytes())
    assert load_pem_private_key(key.read_bytes(), None).public_key() == leaf.public_key()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "custody.pem", key)
    context.load_verify_locations(folder / "ca.pem")


def test_writing_again_leaves_no_wider_mode(mesh: MeshPki, tmp_path: Path) -> None:
    key = tmp_path / "a.key"
    key.write_text("old and longer than any key" * 100)
    key.chmod(0o644)
    identity = mesh.issue("service/audit")
    write_identity(tmp_path, "a", identity, mesh.ca)
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == identity.key_pem()
