"""The doctor's look at a certificate: files, chain, time, whom it names."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from garim.cli.doctor.findings import Findings
from garim.kit import tls
from garim.kit.clock import Clock
from garim.kit.settings import ServiceSettings
from garim.statements.refusal import Kind, RefusedError

# An authority that renews by itself has done so when a third of the life is left.
_LEFT = 0.2
_LONGEST_CHAIN = 8


def look(settings: ServiceSettings, service: str, clock: Clock, found: Findings) -> None:
    """Look at the certificate that a service's settings name.

    Args:
        settings: The settings.
        service: Whom it must name.
        clock: For its validity.
        found: Where to note.

    Raises:
        RefusedError: As `tls.load`; `CERTIFICATE_IDENTITY`, `CERTIFICATE_CHAIN`.
    """
    material = tls.load(settings.tls.files(), settings.mesh, clock.now_ms())
    if material.identity.path != f"service/{service}":
        raise _refused("CERTIFICATE_IDENTITY", f"it names {material.identity.path}, not {service}")
    chain = x509.load_pem_x509_certificates(material.chain)
    demand_chain(chain, x509.load_pem_x509_certificates(material.trust), clock.now_ms())
    leaf = chain[0]
    left = leaf.not_valid_after_utc - _moment(clock.now_ms())
    what = f"names service/{service}, chains to the trust store, ends in {_days(left)}"
    if left < (leaf.not_valid_after_utc - leaf.not_valid_before_utc) * _LEFT:
        found.warn("certificate", what, "renew it; the new files are taken up without a restart")
    else:
        found.ok("certificate", what)


def demand_chain(chain: list[x509.Certificate], trust: list[x509.Certificate], now_ms: int) -> None:
    """Demand that a chain leads to an authority of the trust store that counts now.

    Args:
        chain: Leaf first.
        trust: The authorities.
        now_ms: Milliseconds since 1970.

    Raises:
        RefusedError: `CERTIFICATE_CHAIN`.
    """
    last, now = chain[0], _moment(now_ms)
    for _ in range(_LONGEST_CHAIN):
        for authority in trust:
            if (
                _issued(last, authority)
                and authority.not_valid_before_utc <= now < authority.not_valid_after_utc
            ):
                return
        above = next((one for one in chain[1:] if one is not last and _issued(last, one)), None)
        if above is None:
            break
        last = above
    raise _refused("CERTIFICATE_CHAIN", "no authority of the trust store that counts now has issued it")


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _moment(now_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)


def _days(left: dt.timedelta) -> str:
    return f"{left.days} days" if left.days else f"{left.seconds // 3600} hours"


def _refused(reason: str, message: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION)
