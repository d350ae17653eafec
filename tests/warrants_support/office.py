"""An agency that writes HI1 messages to a desk, and what the answers say."""

from __future__ import annotations

import functools
import re
from types import MappingProxyType
from typing import Any

import pytest
from lxml import etree

import etsi_support as etsi
from garim.documents import formats
from garim.documents.claims import read_claims
from garim.documents.etsi import names, write
from garim.documents.etsi.opening import open_message, read_exchange
from garim.documents.etsi.schemas import Schemas
from garim.documents.media_types import ETSI_MEDIA_TYPE
from garim.kit.identity import Peer
from garim.statements.governance import Governance
from garim.testing import documents
from garim.testing.pki import Identity
from garim.warrants.hi1 import Correspondence
from warrants_support.desk import CLERK, Desk

XMLNS = {"c": names.CORE, "m": names.COMMON}


class Office:
    """An agency and the operator's desk that it writes to."""

    def __init__(self, desk: Desk, identity: Identity, patch: pytest.MonkeyPatch) -> None:
        opened = functools.partial(open_message, open_court=etsi.court_opener(desk.pki))
        patch.setattr(formats, "FORMATS", MappingProxyType({ETSI_MEDIA_TYPE: opened}))
        self.desk = desk
        self.identity = identity
        self.writing = etsi.writing(desk.pki)

    def send(self, data: bytes, caller: Peer = CLERK, signer: Identity | None = None) -> etree._Element:
        """Sign and send a message, and return the answer."""
        return self.send_as_is(etsi.signed(signer or self.identity, data), caller)

    def send_as_is(self, data: bytes, caller: Peer = CLERK) -> etree._Element:
        correspondence = Correspondence(self.desk.means, self.desk.warrants, read_exchange)
        answer = correspondence.answer(data, caller)
        if etsi.EXAMPLES.is_dir():
            Schemas(etsi.schema_files("v1.23.1")).demand(answer)
        return etree.fromstring(answer)

    def request(self, court: dict[str, Any] | None = None, asked: dict[str, Any] | None = None) -> bytes:
        said = court or documents.disclosure(self.desk.pki)
        wanted = read_claims(documents.payload(asked or said))
        return write.request(self.writing, wanted, etsi.stand_in(said))

    def authorisation(self, answer: etree._Element) -> str:
        """Return the identifier of the first object of an answer."""
        found = answer.findtext(".//c:ObjectIdentifier", namespaces=XMLNS)
        assert found is not None
        return found

    def asked(self, *identifiers: str) -> etree._Element:
        return self.send(write.query(self.writing, identifiers))

    def trust_too(self, agency: str, *, audience: str = documents.AUDIENCE) -> None:
        """Have governance trust one more agency's certificates."""
        current = self.desk.operator.governance.current()
        anchors = tuple(
            one.model_copy(update={"authorities": (*one.authorities, agency)})
            if one.role == "chief-investigator"
            else one
            for one in current.anchors
        )
        changed = current.model_copy(update={"anchors": anchors, "audience": audience})
        self.desk.restart(governance=_Fixed(changed))


class _Fixed:
    def __init__(self, governance: Governance) -> None:
        self._governance = governance

    def current(self) -> Governance:
        return self._governance


def errors(answer: etree._Element) -> list[tuple[int, str]]:
    """Return code and first reason of each failure in an answer."""
    found = []
    for one in answer.iter(names.core("ErrorInformation")):
        code, text = (
            one.findtext(f"c:{name}", namespaces=XMLNS) for name in ("ErrorCode", "ErrorDescription")
        )
        found.append((int(code or 0), re.split("[ :]", text or "")[0]))
    return found


def statuses(answer: etree._Element) -> list[str]:
    wanted = ("AuthorisationStatus", "DocumentStatus", "Status")
    return [
        one.findtext("m:Value", default="", namespaces=XMLNS)
        for one in answer.iter(etree.Element)
        if etree.QName(one).localname in wanted
    ]
