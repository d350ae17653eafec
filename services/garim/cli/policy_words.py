"""A policy in words, Korean and English side by side, and as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from garim.documents.fields import write_instant
from garim.documents.policy import Policy
from garim.documents.policy_gaps import Remark, remarks_on
from garim.documents.policy_model import Basis, Cause, Duration, PolicyVersion, WarrantType, Words, cited
from garim.statements.grants import Masking

_DATA = {
    "stored": "저장된 대화 stored conversations",
    "live": "실시간 통신 live communications",
    "records": "통신사실 확인자료 communication records",
}

_NAMES = {
    "all-persons": "모든 사람, 참여자가 아니어도 everybody found, participant or not",
    "roster+identifiers": "참여자만; 번호와 주소는 모두 participants only; all identifiers",
}
_TIMES = {
    "exact": "그대로 as they are",
    "minute": "분까지 cut to the minute",
    "hour": "시까지 cut to the hour",
    "day": "날짜만 days only",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Paragraph:
    """One part of the explanation.

    Attributes:
        title: Its head.
        columns: Heads of a table; empty where the rows are names and values.
        rows: Cells.
        notes: Warnings beneath it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def policy_words(policy: Policy, instant_ms: int) -> list[Paragraph]:
    """Return the explanation of a policy as it stands at an instant.

    Args:
        policy: The policy.
        instant_ms: Milliseconds since 1970.
    """
    version = policy.at(instant_ms)
    head = Paragraph(
        f"정책 policy {policy.file.jurisdiction}, {write_instant(instant_ms)}",
        (),
        (
            ("digest", policy.digest),
            ("versions", ", ".join(f"{one.id} ({_day(one.valid_from_ms)}~)" for one in policy.versions)),
            ("in force", "-" if version is None else version.id),
        ),
        () if version is not None else ("이 시점에 시행 중인 정책이 없습니다. No policy is in force then.",),
    )
    parts = [head, _offences(policy, instant_ms), _types(policy, instant_ms)]
    if version is not None:
        masked = Paragraph("가림 masking", (), masking_words(version.masking))
        parts += [_asked(version), masked, _duties(version, instant_ms)]
    return [*parts, _rules(policy, instant_ms), _remarks(policy)]


def policy_value(policy: Policy, instant_ms: int) -> dict[str, Any]:
    """Return the same as JSON.

    Args:
        policy: The policy.
        instant_ms: Milliseconds since 1970.
    """
    version = policy.at(instant_ms)
    return {
        "digest": policy.digest,
        "jurisdiction": policy.file.jurisdiction,
        "at": write_instant(instant_ms),
        "version": None if version is None else version.to_json(),
        "offences": [
            {"id": one.id, "label": one.label.to_json(), "basis": list(one.basis_at(instant_ms))}
            for one in policy.file.offences
            if one.listed(instant_ms)
        ],
        "warrant_types": [
            {
                "id": one.id,
                "label": one.label.to_json(),
                "reaches": list(one.reaches),
                "duration": None if one.duration is None else one.duration.to_json(),
                "basis": list(cited(one.basis, instant_ms)),
            }
            for one in policy.file.warrant_types
            if one.holds(instant_ms)
        ],
        "warnings": [
            {
                "code": one.code,
                "where": one.where,
                "from": write_instant(one.from_ms),
                "to": None if one.to_ms is None else write_instant(one.to_ms),
            }
            for one in remarks_on(policy)
        ],
    }


def _day(instant_ms: int) -> str:
    return write_instant(instant_ms)[:10]


def _both(words: Words) -> str:
    return f"{words.ko} / {words.en}"


def _causes(causes: tuple[Cause, ...]) -> str:
    return ", ".join(_both(one.label) for one in causes) or "-"


def _basis(basis: Basis, instant_ms: int) -> str:
    return "; ".join(cited(basis, instant_ms)) or "-"


def _offences(policy: Policy, instant_ms: int) -> Paragraph:
    listed = [one for one in policy.file.offences if one.listed(instant_ms)]
    rows = tuple((one.id, _both(one.label), "; ".join(one.basis_at(instant_ms))) for one in listed)
    return Paragraph(
        f"대상 범죄 {len(rows)}개 offences for which conversations may be asked",
        ("id", "이름 name", "근거 legal basis"),
        rows,
    )


def _types(policy: Policy, instant_ms: int) -> Paragraph:
    rows = tuple(
        (
            one.id,
            _both(one.label),
            _answered(one),
            ", ".join(_DATA[data] for data in one.reaches),
            _duration(one.duration),
            _basis(one.basis, instant_ms),
        )
        for one in policy.file.warrant_types
        if one.holds(instant_ms)
    )
    return Paragraph(
        "영장의 종류 types of warrant",
        ("id", "이름 name", "응답 answered", "범위 reaches", "기간 duration", "근거 legal basis"),
        rows,
    )


def _answered(warrant_type: WarrantType) -> str:
    return "예 yes" if "stored" in warrant_type.reaches else "아니요 no"


def _duration(duration: Duration | None) -> str:
    if duration is None:
        return "-"
    if duration.extension_days is None:
        return f"{duration.days}일 days"
    total = "" if duration.extensions_total_days is None else f" (≤ {duration.extensions_total_days})"
    return f"{duration.days} + {duration.extension_days}{total}일 days"


def _asked(version: PolicyVersion) -> Paragraph:
    limits, deadlines, review = version.limits, version.deadlines, version.review
    when = (
        "모든 요청 always"
        if review.always
        else (
            f"주변인 bystanders > {review.bystanders_over}, 대상자 subjects > {review.subjects_over}"
            + (", 겹치는 범위 overlapping scope" if review.overlap else "")
        )
    )
    rows = (
        ("거절 선언 declared refusal", "-" if version.refuse_all is None else _both(version.refuse_all)),
        (
            "최장 기간 longest period",
            f"{limits.period_days}일 days, 발부 전에 끝난 기간만 over before the issue",
        ),
        ("대상자 subjects", f"1~{limits.subjects}"),
        ("주변인 한도 bystanders at most", str(version.budgets.bystanders)),
        (
            "신원 공개 한도 identities at most",
            f"{version.budgets.unmaskings} / dossier, {limits.pseudonyms} / 요청",
        ),
        ("보전 preservation", f"{limits.preservation_days}일 days"),
        (
            "긴급 보전 emergency preservation",
            f"{version.emergency.hours}시간 hours, 법원의 문서를 기다림 until the court's document",
        ),
        ("심사 review", f"{_both(review.by)}: {when}, {deadlines.review_hours}시간 hours"),
        ("추가 요청 second requests", f"{deadlines.unmask_days}일 days 안에 within"),
        ("관리자의 결정 custodians decide", f"{deadlines.unmask_request_days}일 days"),
    )
    return Paragraph(f"요청의 한계와 기한 limits and deadlines ({version.id})", (), rows)


def masking_words(masking: Masking) -> tuple[tuple[str, str], ...]:
    """Return how a policy has dossiers masked, as names and values."""
    return (
        ("가리는 이름 names masked", f"{masking.names}: {_NAMES[masking.names]}"),
        ("시각 times shown", f"{masking.times}: {_TIMES[masking.times]}"),
    )


def _duties(version: PolicyVersion, instant_ms: int) -> Paragraph:
    duties = version.duties
    notice, part, account = duties.notify_subjects, duties.participation, duties.register_
    rows = [
        (
            "대상자 통지 notify subjects",
            f"{notice.days}일 days",
            _both(notice.by),
            _basis(notice.basis, instant_ms),
        ),
        (
            "당사자 참여 participation",
            f"{part.days}일 days; 예외 except: {_causes(part.exceptions)}",
            _both(part.by),
            _basis(part.basis, instant_ms),
        ),
        (
            "제공 대장 register",
            f"{account.months}개월 months; 보존 kept {account.keep_years}년 years",
            "-",
            _basis(account.basis, instant_ms),
        ),
    ]
    if notice.deferral is not None:
        wait = notice.deferral
        rows.insert(
            1,
            (
                "통지 유예 deferral",
                f"{_causes(wait.causes)}; 재확인 again {wait.look_again_days}, 해소 후 {wait.days_after}",
                _both(wait.approved_by),
                _basis(wait.basis, instant_ms),
            ),
        )
    heads = ("의무 duty", "기한 term", "누가 by", "근거 legal basis")
    return Paragraph("의무 duties", heads, tuple(rows))


def _rules(policy: Policy, instant_ms: int) -> Paragraph:
    rows = tuple((one.id, _both(one.label), _basis(one.basis, instant_ms)) for one in policy.file.rules)
    return Paragraph("판단의 근거 legal basis of each rule", ("id", "이름 name", "근거 legal basis"), rows)


def _remarks(policy: Policy) -> Paragraph:
    remarks = remarks_on(policy)
    notes = tuple(_remark(one) for one in remarks) or ("빈틈도 겹침도 없습니다. No gaps and no overlaps.",)
    return Paragraph("날짜의 점검 dates", (), (("warnings", str(len(remarks))),), notes)


def _remark(remark: Remark) -> str:
    until = "" if remark.to_ms is None else _day(remark.to_ms)
    what = "근거가 없는 기간 nothing holds" if remark.code == "GAP" else "겹치는 근거 cited twice"
    return f"{remark.code} {remark.where}: {what} {_day(remark.from_ms)} ~ {until}"
