"""The names of TS 103 120 and of our national profile in it: namespaces, dictionaries, formats."""

from __future__ import annotations

CORE = "http://uri.etsi.org/03120/common/2019/10/Core"
COMMON = "http://uri.etsi.org/03120/common/2016/02/Common"
AUTHORISATION = "http://uri.etsi.org/03120/common/2020/09/Authorisation"
DOCUMENT = "http://uri.etsi.org/03120/common/2020/09/Document"
TASK = "http://uri.etsi.org/03120/common/2020/09/Task"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"

NAMESPACES = (CORE, COMMON, AUTHORISATION, DOCUMENT, TASK)
"""Those whose elements our profile reads."""
PREFIXES = {None: CORE, "xsi": XSI, "common": COMMON, "auth": AUTHORISATION, "doc": DOCUMENT, "task": TASK}
"""How we write the namespaces."""

HI1 = f"{{{CORE}}}HI1Message"
SIGNATURE = f"{{{DSIG}}}Signature"
AUTHORISATION_OBJECT = f"{{{AUTHORISATION}}}AuthorisationObject"
DOCUMENT_OBJECT = f"{{{DOCUMENT}}}DocumentObject"
DISCLOSURE_TASK = f"{{{TASK}}}LDTaskObject"
PRESERVATION_TASK = f"{{{TASK}}}LPTaskObject"
KINDS = (AUTHORISATION_OBJECT, DOCUMENT_OBJECT, DISCLOSURE_TASK, PRESERVATION_TASK)
"""The objects that are taken in."""

OBJECT_TYPES = {
    AUTHORISATION_OBJECT: "Authorisation",
    DOCUMENT_OBJECT: "Document",
    DISCLOSURE_TASK: "LDTask",
    PRESERVATION_TASK: "LPTask",
}
"""Their names in the standard's dictionary ObjectType."""

ETSI = "ETSI"
OWNER = "GARIM"
"""Owner of our dictionaries, formats and profile."""
PROFILE_VERSION = "1"
ETSI_VERSION = "V1.14.1"
"""The oldest version whose schemas have all that our messages hold; later ones add to it."""

STORED_CONVERSATIONS = "StoredConversations"
MASKED_IDENTITIES = "MaskedIdentities"
FORMATS = {
    (ETSI, "InternationalE164"): "phone",
    (ETSI, "EmailAddress"): "email",
    (ETSI, "InternationalizedEmailAddress"): "email",
    (OWNER, "AccountId"): "account",
}
"""What a target's format says about the identifier."""
PSEUDONYM_FORMAT = (OWNER, "Pseudonym")
PDF = "application/pdf"


def core(name: str) -> str:
    """Return a name in the core namespace."""
    return f"{{{CORE}}}{name}"


def local(tag: str) -> str:
    """Return a name without its namespace."""
    return tag.rpartition("}")[2]
