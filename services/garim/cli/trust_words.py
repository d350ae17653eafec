"""Whom governance trusts for what, in plain words, and what to think about before it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from cryptography import x509

from garim.documents.constraints import are_checked
from garim.documents.crls import counts_until
from garim.documents.fields import write_instant
from garim.documents.keys import strong_key
from garim.documents.x509 import TrustPolicy, certificate_sha256, is_development, load_pem
from garim.statements.governance import DocumentAnchor, Governance

DAY_MS = 86_400_000
SOON_DAYS = 90
CRL_SOON_DAYS = 3
ROLES = {"court": "법원 court", "chief-investigator": "수사책임자 chief investigator"}


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """Something to think about.

    Attributes:
        code: For programs.
        words: For people, Korean and English.
    """

    code: str
    words: str


def _millis(certificate: x509.Certificate) -> tuple[int, int]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return int(begins.timestamp() * 1000), int(ends.timestamp() * 1000)


def anchor_value(
    anchor: DocumentAnchor, trust: TrustPolicy, crls: Sequence[bytes], now_ms: int
) -> dict[str, Any]:
    """Return what is trusted for what, as JSON.

    Args:
        anchor: The trusted authority.
        trust: All that is trusted, for its revocation lists.
        crls: Lists at hand.
        now_ms: Time of the look, milliseconds since 1970.
    """
    certificate = load_pem(anchor.certificate)
    begins, ends = _millis(certificate)
    until = counts_until(anchor, crls, trust, now_ms)
    return {
        "role": anchor.role,
        "subject": certificate.subject.rfc4514_string(),
        "sha256": certificate_sha256(certificate),
        "valid_from": write_instant(begins),
        "valid_to": write_instant(ends),
        "policy": anchor.policy,
        "subject_names": {one.attribute: one.value for one in anchor.subject},
        "authorities": list(anchor.authorities),
        "crl_issuers": [
            {"subject": one.subject.rfc4514_string(), "sha256": certificate_sha256(one)}
            for one in map(load_pem, anchor.crl_issuers)
        ],
        "crl_counts_until": None if until is None else write_instant(until),
        "crl_days_left": None if until is None else round((until - now_ms) / DAY_MS, 1),
    }


def anchor_rows(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Return an anchor's value as names and words, Korean and English."""
    named = [f"{name} = {one}" for name, one in value["subject_names"].items()]
    bound = ([f"인증서 정책 policy {value['policy']}"] if value["policy"] else []) + named
    days = value["crl_days_left"]
    return [
        ("역할 for which signature", ROLES[value["role"]]),
        ("누구 who", value["subject"]),
        ("지문 SHA-256", value["sha256"]),
        ("유효기간 valid", f"{value['valid_from']} ~ {value['valid_to']}"),
        ("역할의 근거 role bound by", ", ".join(bound)),
        ("기관 vouches for", ", ".join(value["authorities"]) or "모든 법원 every court"),
        (
            "폐지목록 발급자 revocation lists signed by",
            ", ".join(["자신 itself", *(one["subject"] for one in value["crl_issuers"])]),
        ),
        ("폐지목록 revocation list", "없음 none at hand" if days is None else f"{days}일 남음 days left"),
    ]


def warnings_on(
    anchor: DocumentAnchor,
    governance: Governance,
    crls: Sequence[bytes],
    now_ms: int,
) -> list[Remark]:
    """Return what to think about before an authority is trusted.

    Args:
        anchor: The authority.
        governance: The version in which it stands.
        crls: Lists at hand.
        now_ms: Time of the look, milliseconds since 1970.
    """
    certificate = load_pem(anchor.certificate)
    _, ends = _millis(certificate)
    trust = TrustPolicy.of(governance)
    until = counts_until(anchor, crls, trust, now_ms)
    others = [one for one in governance.anchors if one != anchor and one.role == anchor.role]
    shared = {name for one in others for name in one.authorities} & set(anchor.authorities)
    marked = is_development(certificate) and not trust.development
    found = [
        (
            ends <= now_ms,
            "ended",
            "인증서 유효기간이 끝났습니다. The certificate has ended: nothing will count.",
        ),
        (
            now_ms < ends <= now_ms + SOON_DAYS * DAY_MS,
            "ends-soon",
            f"인증서가 {SOON_DAYS}일 안에 끝납니다. The certificate ends within {SOON_DAYS} days.",
        ),
        (
            until is None,
            "no-crl",
            "유효한 폐지목록이 없습니다. No fresh revocation list is at hand: every document is refused.",
        ),
        (
            until is not None and until <= now_ms + CRL_SOON_DAYS * DAY_MS,
            "crl-stale-soon",
            f"폐지목록이 {CRL_SOON_DAYS}일 안에 낡습니다. Its list is stale in {CRL_SOON_DAYS} days.",
        ),
        (
            bool(shared) or (not anchor.authorities and bool(others)),
            "overlap",
            "다른 인증기관도 같은 기관을 보증합니다. Another anchor vouches for the same organisation, too.",
        ),
        (
            not anchor.authorities and anchor.role == "court",
            "every-court",
            "어느 법원이든 보증할 수 있습니다. It may vouch for every court: name the courts.",
        ),
        (
            not are_checked(certificate),
            "constraints-unchecked",
            "확인할 수 없는 이름 제한이 있습니다. Name constraints nobody checks: all chains are refused.",
        ),
        (
            not strong_key(certificate.public_key()),
            "weak-key",
            "약한 키입니다. Its key is too weak: every chain is refused.",
        ),
        (
            marked,
            "development",
            "개발용 인증기관입니다. It is marked for development: this production mesh refuses it.",
        ),
    ]
    return [Remark(code, words) for holds, code, words in found if holds]
