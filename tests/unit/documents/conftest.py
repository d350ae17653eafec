"""A throwaway PKI and what every test of documents asks of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from garim.documents import formats
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.verify import VerifiedDocument, verify_document
from garim.statements.refusal import RefusedError, RefusedWithReasonsError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki

NOW = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def verify(pki: DocumentPki) -> Callable[..., VerifiedDocument]:
    def call(data: bytes, **changes: Any) -> VerifiedDocument:
        arguments: dict[str, Any] = {
            "media_type": JWS_MEDIA_TYPE,
            "open_document": formats.open_document,
            "trust": pki.trust,
            "audience": documents.AUDIENCE,
            "now_ms": documents.millis(pki),
            "crls": pki.crls,
            "revoked": lambda _identity: False,
        }
        return verify_document(data, **(arguments | changes))

    return call


@pytest.fixture
def reasons() -> Callable[..., list[str]]:
    """Call something and return the reasons with which it refuses; fail where it does not."""

    def call(function: Callable[..., object], *arguments: Any, **named: Any) -> list[str]:
        with pytest.raises(RefusedError) as caught:
            function(*arguments, **named)
        if isinstance(caught.value, RefusedWithReasonsError):
            return [reason.reason for reason in caught.value.reasons]
        return [caught.value.reason]

    return call
