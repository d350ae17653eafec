import pytest

from garim.masking import checksums, phones
from garim.masking.engine import Engine

ENGINE = Engine([])


def found(text: str) -> list[tuple[str, str]]:
    return [(f.type.value, text[f.start : f.end]) for f in ENGINE.find([text])[0]]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("PHONE", "연락처 010-0000-1234로", "010-0000-1234"),
        ("PHONE", "01000001234", "01000001234"),
        ("PHONE", "010 0000 1234야", "010 0000 1234"),
        ("PHONE", "010.0000.1234", "010.0000.1234"),
        ("PHONE", "+82 10-0000-1234", "+82 10-0000-1234"),
        ("PHONE", "02-000-1234로 전화", "02-000-1234"),
        ("PHONE", "(02) 000-1234", "(02) 000-1234"),
        ("PHONE", "1588-0000", "1588-0000"),
        ("PHONE", "call +1 202-555-0143", "+1 202-555-0143"),
        ("PHONE", "(202) 555-0143", "(202) 555-0143"),
        ("PHONE", "Phone:\n60-00-00-01\n", "60-00-00-01"),
        ("PHONE", "not answering at 70 000 001", "70 000 001"),
        ("PHONE", "020 7946 0001", "020 7946 0001"),
        ("PHONE", "400 00 001 office", "400 00 001"),
        ("PHONE", "001-202-555-0143", "001-202-555-0143"),
        ("PHONE", "010-0000-****로", "010-0000-****"),
        ("PHONE", "010-****-0001", "010-****-0001"),
        ("PHONE", "폰 뒷자리는 0001이야", "0001"),
        ("PHONE", "폰 010ㅡ0000ㅡ1234임", "010ㅡ0000ㅡ1234"),
        ("PHONE", "내 번호 01O-0000-1234야", "01O-0000-1234"),
        ("PHONE", "번호 공일공-0000-1234", "공일공-0000-1234"),
        ("PHONE", "0 1 0 0000 1234", "0 1 0 0000 1234"),
        ("EMAIL", "hong01 @ mail.example로 보내줘", "hong01 @ mail.example"),
        ("EMAIL", "hong @ naver.com이에요", "hong @ naver.com"),
        ("CARD", "카드 4000·0000·0000·0001", "4000·0000·0000·0001"),
        ("BANK_ACCOUNT", "신한 1100.000.000123 홍길동", "1100.000.000123"),
        ("HANDLE", "카톡 some_body12로 추가해줘", "some_body12"),
        ("HANDLE", "내 인스타 gil.dong01", "gil.dong01"),
        ("DATE_OF_BIRTH", "태어난 날 1990년 1월 2일", "1990년 1월 2일"),
        ("DATE_OF_BIRTH", "1990-01-02에 태어났어", "1990-01-02"),
        ("DATE_OF_BIRTH", "19900102생이에요", "19900102"),
        ("MAC", "(12-34-56-78-9a-bc)", "12-34-56-78-9a-bc"),
        ("GPS", "위치 37.000123, 127.000456 근처", "37.000123, 127.000456"),
        ("URL_HANDLE", "https://www.video.example/watch?v=abc&si=Zz00zz11yy", "Zz00zz11yy"),
        ("HANDLE", "인스타 @some_body야", "@some_body"),
        ("HANDLE", "telegram: some_body", "some_body"),
        ("EMAIL", "메일은 hong.gil@mail.example이에요", "hong.gil@mail.example"),
        ("EMAIL", "write to x@y.example.", "x@y.example"),
        ("RRN", "900101-1000000", "900101-1000000"),
        ("RRN", "900101-1******", "900101-1******"),
        ("RRN", "주민번호 9001011000000", "9001011000000"),
        ("FRN", "900101-5000000", "900101-5000000"),
        ("CARD", "4000-0000-0000-0001", "4000-0000-0000-0001"),
        ("CARD", "pay 4000 0000 0000 0002", "4000 0000 0000 0002"),
        ("CARD", "카드 4000 0000 0000 0001", "4000 0000 0000 0001"),
        ("BANK_ACCOUNT", "국민은행 000000-00-000123으로", "000000-00-000123"),
        ("BANK_ACCOUNT", "계좌 3333000000012", "3333000000012"),
        ("IP", "접속 192.0.2.44에서", "192.0.2.44"),
        ("IP", "from 2001:db8::17:2 now", "2001:db8::17:2"),
        ("MAC", "00:00:5e:00:53:af", "00:00:5e:00:53:af"),
        ("USER_HOST", "~nick@gateway/web/example", "~nick@gateway/web/example"),
        ("USER_HOST", "quit (n=joe@host.example)", "n=joe@host.example"),
        ("URL_HANDLE", "https://www.instagram.com/some_body?igshid=1", "some_body"),
        ("URL_HANDLE", "http://host.example/~somebody/x", "somebody"),
        ("HANDLE", "카톡 아이디 some_body12야", "some_body12"),
        ("PASSPORT", "여권 M00000001", "M00000001"),
        ("DRIVER_LICENSE", "11-00-000000-01", "11-00-000000-01"),
        ("BUSINESS_REG", "000-00-00001", "000-00-00001"),
        ("VEHICLE", "차는 12가 0001이야", "12가 0001"),
        ("DATE_OF_BIRTH", "생일 1990. 1. 2", "1990. 1. 2"),
        ("DATE_OF_BIRTH", "생년월일은 900102예요", "900102"),
        ("DATE_OF_BIRTH", "홍길순 / 1990.01.02 / 없음시", "1990.01.02"),
        ("DATE_OF_BIRTH", "저는 1990년생이라", "1990년생"),
        ("RRN", "주민번호 앞자리 900101-1이에요", "900101-1"),
        ("RRN", "주민번호 ******-1000000", "******-1000000"),
        ("FRN", "900145-5000000", "900145-5000000"),
        ("VEHICLE", "차량번호 알려주세요: 00도 0001", "00도 0001"),
        (
            "ADDRESS",
            "서울특별시 없음구 가나로 12, 101동 202호로 와",
            "서울특별시 없음구 가나로 12, 101동 202호",
        ),
        ("ADDRESS", "주소: 가나대로12번길 34-5", "가나대로12번길 34-5"),
        ("ADDRESS", "경기 없음시 다라읍 마바리 산 12-3번지에서", "경기 없음시 다라읍 마바리 산 12-3번지"),
        ("ADDRESS", "없음구 사아동 12-3 자차빌라 B동 302호", "없음구 사아동 12-3 자차빌라 B동 302호"),
        ("ADDRESS", "우편번호 00001", "00001"),
        ("SSN", "078-00-1120", "078-00-1120"),
        ("IP", "route 2001:db8::/32", "2001:db8::/32"),
        ("EMAIL", "a@b.xn--p1ai", "a@b.xn--p1ai"),
        ("IBAN", "GB33 BUKB 2020 1555 5555 55 to him", "GB33 BUKB 2020 1555 5555 55"),
        ("IBAN", "GB33BUKB20201555555555", "GB33BUKB20201555555555"),
    ],
)
def test_value_is_found_whole(kind: str, text: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "112에 신고해",
            "입금 2024.11.22 10:30에 했어",
            "계좌에 1000000000원 있으면",
            "통장 잔고 12.345.678.901",
            "아이폰 12 13 14 15 16 다 있어",
            "주문번호 20241122-123456",
            "우편물 12345개",
            "카톡 windows10 버전",
            "디코 server.js 고쳐",
            "meet me @ host.example",
            "3ㅡ0으로 이김 ㅡㅡ",
            "240101 생산 제품",
            "2026-11-22 15:47:58",
            "1,234,567원",
            "2.6.8.1-3 kernel",
            "version 1.2.3.4",
            "12:34:56",
        ),
        *(
            "pay 4000 0000 0000 0001",
            "주문 20260528-0093741",
            "1606123456789",
            "000123 4567",
            "see a@",
            "@ 5pm",
        ),
        *(
            "오늘 10시 2000명",
            "구로 3명 가자",
            "집으로 10분",
            "이 길 2번 지나",
            "그 동네로 5시까지",
            "12345 중에",
            "2023년 1234명",
            "https://host.example/page/123456789",
            "std::vector",
            "999.1.1.1",
        ),
    ],
)
def test_number_of_another_use_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "spelled",
    [
        "010-0000-1234",
        "01000001234",
        "+82 10 0000 1234",
        "+82-(0)10-0000-1234",
        "0082 10 0000 1234",
        "01o-0000-1234",
        "공일공 0000 1234",
    ],
)
def test_every_spelling_of_a_phone_has_one_canonical_value(spelled: str) -> None:
    assert phones.canonical(spelled) == "+821000001234"


def test_check_digits_are_checked() -> None:
    assert checksums.luhn("4000000000000002")
    assert not checksums.luhn("4000000000000003")
    assert checksums.iban("gb33bukb20201555555555")
    assert not checksums.iban("gb34bukb20201555555555")
    assert checksums.resident_number("9001011000008") != checksums.resident_number("9001011000009")


def test_values_of_two_texts_never_join() -> None:
    assert ENGINE.find(["010-0000", "-1234"]) == [(), ()]
