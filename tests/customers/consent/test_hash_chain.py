import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.consent.hash_chain import GENESIS_DIGEST, NotCanonical, canonical_json, chain_digest

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_a_document_reads_back_as_it_was(document):
    assert json.loads(canonical_json(document)) == document


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 9)))
def test_the_order_in_which_it_was_written_does_not_matter(document):
    backwards = dict(reversed(document.items()))

    assert canonical_json(backwards) == canonical_json(document)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ('€$\x0f\nA\'B"\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\"/"'),
        ("\x7f\u2028", '"\x7f\u2028"'),
        ({}, "{}"),
        # By UTF-16: the emoji's first half (D83D) comes before U+FB33.
        ({"\ufb33": 2, "😀": 1, "\r": 0}, '{"\\r":0,"😀":1,"\ufb33":2}'),
        (-0, "0"),
        (2**53 - 1, "9007199254740991"),
    ],
    ids=str,
)
def test_the_bytes_are_those_of_rfc_8785(document, text):
    assert canonical_json(document) == text.encode()


@pytest.mark.parametrize(
    "document",
    [0.1, 1.0, float("nan"), {"a": 1.5}, [2.5], 2**53, -(2**53), b"x", {1: 2}, ("a",), "\ud83d"],
    ids=ascii,
)
def test_ambiguous_json_is_refused(document):
    with pytest.raises(NotCanonical):
        canonical_json(document)


def test_key_with_a_lone_surrogate_is_refused():
    with pytest.raises(NotCanonical):
        canonical_json({"\ud83d": 1})


def test_chain_digest_covers_the_entry_and_all_before_it():
    first, other = chain_digest(GENESIS_DIGEST, b"a"), chain_digest(GENESIS_DIGEST, b"b")

    assert len({first, other, chain_digest(first, b"c"), chain_digest(other, b"c")}) == 4
    assert len(first) == 32
