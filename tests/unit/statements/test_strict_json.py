"""JSON that could be read in two ways, or holds what no statement needs, is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from garim.statements.refusal import Kind, RefusedError
from garim.statements.strict_json import MAX_DEPTH, MAX_SAFE_INTEGER, dump, parse_object


def refusal(data: bytes, **limits: int) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        parse_object(data, **limits)
    assert refused.value.kind is Kind.INVALID
    return refused.value


def nested(levels: int) -> bytes:
    """An object whose one member is this many lists, one inside the other."""
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


def test_an_object_is_read_as_it_stands() -> None:
    data = '{"a": [1, -2, true, null, {"b": "가림"}], "": ""}'.encode()
    assert parse_object(data) == {"a": [1, -2, True, None, {"b": "가림"}], "": ""}


def test_no_normal_form_is_forced_on_text() -> None:
    decomposed = "가"
    assert parse_object(b'{"a":"' + decomposed.encode() + b'"}') == {"a": decomposed}


@pytest.mark.parametrize("number", [0, 1, -1, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER])
def test_whole_numbers_in_the_safe_range_are_taken(number: int) -> None:
    assert parse_object(b'{"a":%d}' % number) == {"a": number}


@pytest.mark.parametrize(
    "number",
    [
        b"1.0",
        b"1.5",
        b"1e3",
        b"1E-3",
        b"-0",
        b"-0.0",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"99999999999999999",
        b"9" * 5000,
    ],
)
def test_any_other_number_is_refused(number: bytes) -> None:
    assert refusal(b'{"a":' + number + b"}").reason == "JSON_NUMBER"


@pytest.mark.parametrize(
    "data",
    [b'{"a":1,"a":1}', b'{"a":1,"b":2,"\\u0061":3}', b'{"x":[{"a":null,"a":null}]}'],
)
def test_a_key_twice_is_refused_at_any_depth(data: bytes) -> None:
    refused = refusal(data)
    assert (refused.reason, refused.field) == ("JSON_DUPLICATE_KEY", "a")


def test_the_same_key_in_two_objects_is_fine() -> None:
    assert parse_object(b'{"a":{"a":1},"b":{"a":1}}') == {"a": {"a": 1}, "b": {"a": 1}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1}x',
        b'{"a":1}{"a":1}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":"\n"}',
        b'{"a":"\\x"}',
        b'{"a":1} // comment',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":undefined}',
    ],
)
def test_what_is_not_exactly_one_json_value_is_refused(data: bytes) -> None:
    assert refusal(data).reason == "JSON_SYNTAX"


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"null", b"true", b'[{"a":1}]'])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    assert refusal(data).reason == "JSON_NOT_OBJECT"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        '{"a":"가"}'.encode("euc-kr"),
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\\ud800"}',
        b'{"a":["\\udc00"]}',
        b'{"\\ud800":1}',
        b'{"a":{"\\udfff":1}}',
    ],
)
def test_what_is_not_utf_8_is_refused_written_or_escaped(data: bytes) -> None:
    assert refusal(data).reason == "JSON_ENCODING"


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert parse_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_depth_has_a_limit() -> None:
    assert parse_object(nested(MAX_DEPTH))
    assert refusal(nested(MAX_DEPTH + 1)).reason == "JSON_DEPTH"
    objects = b'{"a":' * (MAX_DEPTH + 2) + b"1" + b"}" * (MAX_DEPTH + 2)
    assert refusal(objects).reason == "JSON_DEPTH"


def test_depth_beyond_the_interpreters_stack_is_a_refusal_too() -> None:
    assert refusal(nested(200_000)).reason == "JSON_DEPTH"


def test_size_has_a_limit_that_is_checked_before_reading() -> None:
    assert parse_object(b'{"a":1}', max_bytes=7) == {"a": 1}
    assert refusal(b'{"a":1}', max_bytes=6).reason == "JSON_SIZE"
    assert refusal(b"\xff" * 7, max_bytes=6).reason == "JSON_SIZE"


def test_a_refusal_repeats_no_text_of_the_input() -> None:
    name = "invented-name"
    for data in (
        f'{{"a":"{name}',
        f'{{"a":"{name}\\ud800"}}',
        f'{{"a":1,"a":"{name}"}}',
        f'["{name}"]',
        f'{{"a":{name}}}',
    ):
        assert name not in str(refusal(data.encode()))


def test_the_bytes_of_a_dump_never_change() -> None:
    value = {"나": [1, None, True], "a": {"z": 'é\n"\\/\u2028', "b": -1}, "": ""}
    expected = '{"":"","a":{"b":-1,"z":"é\\n\\"\\\\/\u2028"},"나":[1,null,true]}'
    assert dump(value) == expected.encode()
    assert parse_object(dump(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_nan_or_infinity_is_written(value: Any) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        dump({"a": value})
