"""Trust anchors as files and options name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from garim.cli.files import read_input
from garim.documents.x509 import ROLE_POLICIES, Role
from garim.statements.governance import DocumentAnchor
from garim.statements.refusal import RefusedError


def read_pem(path: Path) -> str:
    """Return the one certificate of a file, PEM.

    Raises:
        RefusedError: `CERTIFICATE_INVALID`, and those of `read_input`.
    """
    data = read_input(path, "certificate")
    try:
        (_,) = x509.load_pem_x509_certificates(data)
        return data.decode("ascii")
    except ValueError:
        raise RefusedError("CERTIFICATE_INVALID", f"{path} is not one certificate in PEM") from None


def make_anchor(
    role: Role,
    certificate: Path,
    authorities: Sequence[str],
    crl_issuers: Sequence[Path] = (),
    *,
    policy: str = "",
    title: str = "",
    unit: str = "",
) -> DocumentAnchor:
    """Return an authority as governance is to trust it.

    Args:
        role: For which signature.
        certificate: File of its certificate, PEM.
        authorities: The courts or agencies it may vouch for.
        crl_issuers: Files of further certificates whose key may sign its revocation lists.
        policy: The certificate policy that binds the role, dotted. Garim's own for the role where neither it
            nor anything of the subject is named.
        title: What the subject's title must be; anything where empty.
        unit: What the subject's organizationalUnitName must be; anything where empty.

    Raises:
        RefusedError: `CERTIFICATE_INVALID`, `FIELD_VALUE`, and those of `read_input`.
    """
    named = {"title": title, "organizationalUnitName": unit}
    subject = [{"attribute": name, "value": value} for name, value in named.items() if value]
    own = None if subject else ROLE_POLICIES[role].dotted_string
    return DocumentAnchor.from_json(
        {
            "role": role.value,
            "certificate": read_pem(certificate),
            "authorities": list(authorities),
            "crl_issuers": [read_pem(one) for one in crl_issuers],
            "policy": policy or own,
            "subject": subject,
        }
    )
