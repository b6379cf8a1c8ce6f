import json
import math
import threading

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from channels.ingest import limits
from channels.ingest.limits import MAX_DEPTH, MAX_EVENT, MAX_KEY, MAX_KEYS, InvalidEvent
from tests.cost import cost_ratio


def nested(depth: int) -> bytes:
    """Return an object with `depth` nested brackets."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b'{"a":NaN}', "not_finite", id="nan"),
        pytest.param(b'{"a":[1,-Infinity]}', "not_finite", id="infinity"),
        pytest.param(b'{"a":"NaN",}', "malformed", id="nan-in-a-string-is-no-nan"),
        pytest.param(b'{"a":1e999}', "number_out_of_range", id="overflow"),
        pytest.param(b'{"a":1e-99999}', "number_out_of_range", id="underflow"),
        pytest.param(b'{"a":0e9999999999}', "number_out_of_range", id="zero-to-a-high-power"),
        pytest.param(b'{"a":' + b"1" * 5000 + b"}", "number_out_of_range", id="5000-digits"),
        pytest.param(b'{"a":0.' + b"1" * 17000 + b"}", "number_out_of_range", id="17000-decimals"),
        pytest.param(b'{"a":"\\u0000"}', "nul_character", id="nul"),
        pytest.param(b'{"\\u0000":1}', "nul_character", id="nul-in-a-key"),
        pytest.param(b'{"a":"\\ud800"}', "lone_surrogate", id="high-surrogate"),
        pytest.param(b'{"a":"\\uDC00 then some"}', "lone_surrogate", id="low-surrogate"),
        pytest.param(b'{"a":"\xff"}', "invalid_utf8", id="not-utf8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', "invalid_utf8", id="surrogate-in-utf8"),
        pytest.param(b'{"a":1,"a":2}', "doubled_key", id="key-twice"),
        pytest.param(b'{"b":{"a":1,"\\u0061":1}}', "doubled_key", id="key-twice-escaped"),
        pytest.param(b'{"a":"\\u003a","b":1,"b":2}', "doubled_key", id="colon-for-colon"),
        pytest.param(b'{"a" : 1 , "a" : "\\u003A"}', "doubled_key", id="colon-in-capitals"),
        pytest.param(nested(MAX_DEPTH + 1), "too_deep", id="21-deep"),
        pytest.param(nested(100_000), "too_deep", id="100000-deep"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_large", id="too-large"),
        pytest.param(b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "too_deep", id="objects-deep"),
        pytest.param(b"[" * 100_000, "too_deep", id="never-closed"),
        pytest.param(
            json.dumps({str(n): n for n in range(MAX_KEYS + 1)}).encode(),
            "too_many_keys",
            id="keys",
        ),
        pytest.param(b'{"%b":1}' % (b"k" * (MAX_KEY + 1)), "key_too_long", id="long-key"),
        pytest.param(b'{"a":{"%b":1}}' % (b"k" * 300), "key_too_long", id="long-key-inside"),
        pytest.param(b"[]", "not_an_object", id="list"),
        pytest.param(b"null", "not_an_object", id="null"),
        pytest.param(b"", "malformed", id="nothing"),
        pytest.param(b'{"a":1} {}', "malformed", id="two-values"),
        pytest.param(b"{'a':1}", "malformed", id="single-quotes"),
    ],
)
def test_object_over_the_limits_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidEvent) as refused:
        limits.read_object(raw)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"a":"\\\\u0000"}', id="backslash-u0000-is-text"),
        pytest.param(b'{"a":"\\ud83d\\ude00"}', id="surrogate-pair"),
        pytest.param(b'{"a":"12:30","b":":"}', id="colons-in-strings"),
        pytest.param(b'{"a" : 1}', id="spaces"),
        pytest.param(b'{"a":0.0,"b":"e-99999 0e99999"}', id="zero-beside-odd-text"),
        pytest.param(b'{"a":"\\u003c\\u003e"}', id="escaped-for-html"),
        pytest.param(b'{"a":{"x":1},"b":{"x":1}}', id="same-key-in-two-objects"),
        pytest.param(nested(MAX_DEPTH), id="20-deep"),
        pytest.param(b'{"__proto__":{"constructor":1},"_connector":"OR"}', id="odd-keys"),
        pytest.param(b'{"a":123456789012345678901234567890}', id="30-digits"),
        pytest.param(json.dumps({"a": "x" * (MAX_EVENT - 9)}).encode(), id="as-large-as-can-be"),
    ],
)
def test_unusual_but_valid_objects_are_accepted(raw):
    fields, digest = limits.read_object(raw)

    assert fields == json.loads(raw)
    assert len(digest) == 16


def test_the_digest_ignores_what_changes_between_attempts():
    first = b'{"messageId":"m","event":"x","sentAt":"2026-11-21T10:00:00Z","integrations":{}}'
    again = b'{ "event":"x", "messageId":"m","sentAt":"2026-11-21T11:00:00Z","_metadata":{"n":2}}'
    other = b'{"messageId":"m","event":"y","sentAt":"2026-11-21T10:00:00Z","integrations":{}}'

    digests = [limits.read_object(raw)[1] for raw in (first, again, other)]

    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("depth", [900, 6_000, 20_000, 1_000_000])
def test_no_depth_ends_the_process(depth):
    """A recursive decoder would overflow the 2 MB stack of a server's thread."""
    raws = (nested(depth), b"[" * depth, b'[{"a":' * depth, b'{"a":' * depth + b"1")
    reasons = []

    def judge():
        for raw in raws:
            with pytest.raises(InvalidEvent) as refused:
                limits.read_object(raw)
            reasons.append(refused.value.reason)

    before = threading.stack_size(2 * 1024 * 1024)
    thread = threading.Thread(target=judge)
    thread.start()
    threading.stack_size(before)
    thread.join()

    assert len(reasons) == len(raws)
    assert set(reasons) <= {"too_deep", "too_large", "malformed"}


def test_brackets_in_strings_do_not_count_as_depth():
    many = json.dumps({"batch": [{"a": '[[[[{{{{"\\' * 30} for _ in range(200)]}).encode()

    assert many.count(b"[") > limits.SAFE_NESTING
    assert limits.is_nested_safely(many)


def json_of(numbers, letters):
    text = st.text(letters, max_size=12)
    return st.dictionaries(
        text,
        st.recursive(
            st.none() | st.booleans() | numbers | text,
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
            max_leaves=20,
        ),
        max_size=8,
    )


ORDINARY = json_of(
    st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False),
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
)
ODD = json_of(st.integers() | st.floats(), st.characters() | st.sampled_from("\0\ud800\udfff"))


@given(ORDINARY, st.booleans())
def test_objects_within_the_limits_are_never_refused(value, ascii_only):
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()

    fields, _ = limits.read_object(raw)

    assert fields == value


@given(ODD, st.booleans())
@example({"a": math.inf}, True)
@example({"a": "\0"}, False)
def test_accepted_objects_are_read_as_written(value, ascii_only):
    raw = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    try:
        fields, _ = limits.read_object(raw)
    except InvalidEvent as unfit:
        event(unfit.reason)
        return

    text = json.dumps(value, ensure_ascii=False)
    assert fields == value
    assert "\\u0000" not in text.replace("\\\\", "")
    assert not any("\ud800" <= letter <= "\udfff" for letter in text)


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0e1-\x00é ', max_size=80).map(str.encode)
)
def test_no_bytes_make_it_fail_in_another_way(raw):
    try:
        fields, digest = limits.read_object(raw)
    except InvalidEvent:
        return

    assert isinstance(fields, dict)
    assert len(digest) == 16


@given(st.lists(st.text(alphabet='{}[]",:\\/u0 ', max_size=12), max_size=8))
def test_no_string_hides_what_is_deep(strings):
    """Strings before the brackets do not change the measured depth."""
    before = ",".join(json.dumps(text) for text in [*strings, ""])
    raw = f"[{before},{'[' * 1500}{']' * 1500}]".encode()

    assert not limits.is_nested_safely(raw)


def test_runs_of_digits_are_looked_at_once():
    """Match attempts at each digit of a run would cost a thousand times as much as its reading."""

    def read(digit_count):
        runs = [b"0." + b"1" * digit_count] * (255_840 // (digit_count + 3))
        limits.read_object(b'{"a":[' + b",".join(runs) + b"]}")

    assert cost_ratio(lambda: read(15_990), lambda: read(500)) < 5
