"""Name constraints of authorities (RFC 5280 section 4.2.1.10), and why most of them close a chain.

`cryptography` compares constraints with the subjectAltName only: it refuses critical ones on directory
names, passes over those that are not critical, and knows no URIs. But the names that count here stand in the
subject. So only constraints that cannot be about a subject (DNS, IP) are left to it; a chain with any other
is refused.
"""

from __future__ import annotations

from cryptography import x509

_CHECKED = (x509.DNSName, x509.IPAddress)


def are_checked(certificate: x509.Certificate) -> bool:
    """Tell whether everything that an authority's certificate says of names is checked in a path.

    Args:
        certificate: An authority's, anchors included.
    """
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    names = [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())]
    # What does not encode again as it stood held more than was read, such as a minimum distance.
    whole = constraints.public_bytes() in certificate.tbs_certificate_bytes
    return whole and all(isinstance(name, _CHECKED) for name in names)
