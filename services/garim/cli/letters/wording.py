"""The words of the letters, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from garim.documents.policy_model import Words


def words(ko: str, en: str) -> Words:
    """Return one text in both languages."""
    return Words(ko=ko, en=en)


TITLES: Mapping[str, Words] = MappingProxyType(
    {
        "refusal": words("집행 거절 통지서", "Notice of refusal"),
        "no-data": words("회신서", "Answer"),
        "delivery": words("자료 전달 확인서", "Certificate of delivery"),
        "preservation": words("보전 조치 확인서", "Confirmation of preservation"),
        "identities": words("가림 해제 회신서", "Answer to a second request"),
        "cancelled": words("집행 종결 통지서", "Notice of cancellation"),
    }
)

OPENINGS: Mapping[str, Words] = MappingProxyType(
    {
        "refusal": words(
            "아래 문서를 검토한 결과 다음의 사유로 집행할 수 없음을 알려 드립니다.",
            "The document named below was examined. It cannot be executed, for the reasons that follow.",
        ),
        "no-data": words(
            "아래 문서에 따라 제공할 자료가 없습니다. 이 회신은 특정 계정이나 자료의 존재 여부를 확인하거나 "
            "부인하는 것이 아닙니다.",
            "There is nothing to hand over under the document named below. This answer neither confirms nor "
            "denies that any account or data exist.",
        ),
        "delivery": words(
            "아래 문서에 따라 제3자를 가린 제공 자료를 암호화하여 전달하였음을 확인합니다.",
            "This certifies that a dossier with bystanders masked was handed over, encrypted, under the "
            "document named below.",
        ),
        "preservation": words(
            "아래 문서에 따른 보전 조치가 유효함을 확인합니다. 이 확인은 특정 계정이나 자료의 존재 여부를 "
            "확인하거나 부인하는 것이 아닙니다.",
            "This confirms that preservation under the document named below is in force. It neither "
            "confirms nor denies that any account or data exist.",
        ),
        "identities": words(
            "아래 2차 요청서에 대한 처리 결과를 알려 드립니다.",
            "This states what became of the second request named below.",
        ),
        "cancelled": words(
            "아래 문서에 따른 집행은 종결되었으며 더 이상 어떠한 자료도 제공되지 않습니다.",
            "Execution of the document named below has ended. Nothing more is handed over under it.",
        ),
    }
)

LABELS: Mapping[str, Words] = MappingProxyType(
    {
        "unverified": words("아래 네 항목", "The four lines below"),
        "unverified_means": words(
            "제출된 문서에 적힌 대로이며 진위가 확인되지 아니함",
            "as the document says; nobody vouches for them",
        ),
        "authority": words("기관", "Authority"),
        "court": words("법원", "Court"),
        "number": words("문서번호", "Document number"),
        "case_number": words("사건번호", "Case number"),
        "document": words("문서 다이제스트 (SHA-256)", "Document digest (SHA-256)"),
        "received_bytes": words("접수 파일 다이제스트 (SHA-256)", "Digest of the bytes received (SHA-256)"),
        "case": words("접수번호", "Case id"),
        "issued": words("발부일시", "Issued"),
        "received": words("접수일시", "Received"),
        "decided": words("결정일시", "Decided"),
        "dossier": words("제공 자료 번호", "Dossier"),
        "mode": words("가림 방식", "Mode"),
        "package": words("패키지 다이제스트 (SHA-256)", "Package digest (SHA-256)"),
        "receipt": words("봉인 확인서 다이제스트 (SHA-256)", "Receipt digest (SHA-256)"),
        "receipt_index": words("봉인 확인서의 감사 로그 번호", "Receipt's position in the log"),
        "closed": words("봉인일시", "Closed"),
        "delivered": words("전달일시", "Delivered"),
        "delivered_index": words("전달의 감사 로그 번호", "Delivery's position in the log"),
        "acknowledged": words("수령 확인일시", "Acknowledged"),
        "not_acknowledged": words("아직 수령 확인 없음", "not acknowledged yet"),
        "unmask_until": words("2차 요청 기한", "Second requests until"),
        "answer": words("서명된 회신 다이제스트 (SHA-256)", "Digest of the signed answer (SHA-256)"),
        "answer_index": words("회신의 감사 로그 번호", "Answer's position in the log"),
        "until": words("보전 종료일시", "Ends"),
        "request": words("요청 번호", "Request"),
        "outcome": words("처리 결과", "Outcome"),
        "basis": words("법적 근거", "Legal basis"),
        "duties": words("이후 의무", "Duties that follow"),
        "reasons": words("거절 사유", "Reasons"),
        "made": words("작성일시", "Written"),
    }
)

MODES: Mapping[str, Words] = MappingProxyType(
    {"sealed": words("봉인", "sealed"), "erased": words("삭제", "erased")}
)

OUTCOMES: Mapping[str, Words] = MappingProxyType(
    {
        "released": words(
            "요청한 신원을 수령 공개키로 암호화하여 제공함", "released, encrypted to the recipient"
        ),
        "denied": words("키 관리인의 정족수가 승인하지 아니함", "not approved by the quorum of custodians"),
        "expired": words("기한이 지나 종료됨", "ended: its time is over"),
        "revoked": words("철회되어 종료됨", "ended: it was revoked"),
    }
)

DUTIES: Mapping[str, Words] = MappingProxyType(
    {
        "notify-subjects": words("대상자에 대한 집행 사실의 통지", "Notifying the subjects"),
        "participation": words(
            "피의자·변호인의 참여 보장", "The suspect's and counsel's part in the execution"
        ),
    }
)

REMEDY = words(
    "사유를 보완한 새 문서로 다시 청구할 수 있습니다.",
    "A new document without these defects may be filed.",
)
CHECK = words(
    "수령자는 garim dossier verify 명령으로 이 확인서의 다이제스트와 감사 로그를 직접 확인할 수 있습니다.",
    "The recipient can check these digests and the log's proofs with the command garim dossier verify.",
)

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "ATTACHMENTS_WRONG": "첨부된 봉인 신원이 문서에 적힌 것과 다릅니다.",
        "AUDIENCE_WRONG": "문서가 다른 사업자를 상대로 합니다.",
        "AUTHORITY_MISMATCH": "서명한 기관이 문서에 적힌 기관과 다릅니다.",
        "CERTIFICATE_NOT_VALID_AT_ISSUE": "서명 인증서가 발부 시에 유효하지 아니하였습니다.",
        "CERTIFICATE_NOT_VALID_NOW": "서명 인증서가 현재 유효하지 아니합니다.",
        "CERTIFICATE_REVOKED": "서명 인증서가 폐지되었습니다.",
        "CHAIN_UNTRUSTED": "서명 인증서가 신뢰할 수 있는 기관으로 이어지지 아니합니다.",
        "COURT_MISMATCH": "서명한 법원이 문서에 적힌 법원과 다릅니다.",
        "DOCUMENT_EXPIRED": "문서의 유효기간이 지났습니다.",
        "DOCUMENT_NUMBER_USED": "같은 번호의 다른 문서가 이미 접수되었습니다.",
        "DOCUMENT_REVOKED": "문서가 철회되었습니다.",
        "FIRST_AUTHORITY": "1차 문서가 다른 기관의 것입니다.",
        "FIRST_CASE_NUMBER": "1차 문서가 다른 사건의 것입니다.",
        "FIRST_DOCUMENT_UNKNOWN": "해당하는 1차 문서가 없습니다.",
        "FIRST_NOT_GRANTED": "1차 문서에 대한 허가가 없거나 더 이상 유효하지 아니합니다.",
        "IDENTITIES_ERASED": "삭제 방식으로 만들어져 신원이 보관되어 있지 아니합니다.",
        "ISSUED_AFTER_RECEIPT": "발부일시가 접수일시보다 늦습니다.",
        "NOT_YET_ISSUED": "발부일시가 아직 오지 아니하였습니다.",
        "OFFENCE_NOT_LISTED": "대화 내용을 제공하는 대상 범죄가 아닙니다.",
        "PERIOD_NOT_PAST": "청구한 기간이 발부 전에 끝나지 아니하였습니다.",
        "PERIOD_TOO_LONG": "청구한 기간이 허용된 최대 기간을 넘습니다.",
        "PRESERVATION_TOO_LONG": "보전 기간이 허용된 최대 기간을 넘습니다.",
        "PSEUDONYMS_TOO_MANY": "한 번에 요청할 수 있는 가명의 수를 넘습니다.",
        "RECIPIENT_UNREADABLE": "수령 공개키를 읽을 수 없습니다.",
        "REFUSE_ALL": "사업자는 공개 선언에 따라 모든 요청을 거절하고 있습니다.",
        "ROLE_MISSING": "법원과 수사기관 책임자 중 어느 한쪽의 서명이 없습니다.",
        "SAME_PERSON": "두 서명이 같은 사람의 것입니다.",
        "SCOPE_REFUSED": "청구의 범위가 받아들여지지 아니하였습니다. 범위를 좁혀 다시 청구할 수 있습니다.",
        "SIGNATURE_WRONG": "서명이 문서와 맞지 아니합니다.",
        "SUBJECTS_MISSING": "대상자가 적혀 있지 아니합니다.",
        "SUBJECTS_TOO_MANY": "대상자의 수가 허용된 수를 넘습니다.",
        "UNMASK_OVER": "2차 요청의 기한이 지났습니다.",
        "WARRANT_TYPE_REFUSED": "이 종류의 영장은 저장된 대화에 미치지 아니합니다.",
    }
)
"""Sentences in Korean for reasons; one without is told by the rule that it falls under."""
