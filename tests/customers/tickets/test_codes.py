from hypothesis import given
from hypothesis import strategies as st

from customers.tickets import codes

KEY = "key of the tickets"


def test_new_codes_are_random_valid_and_free_of_look_alikes():
    new_codes = {codes.new_code() for _ in range(500)}

    assert len(new_codes) == 500
    for code in new_codes:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert codes.has_valid_check(codes.normalize(code))
        assert not set("01ILO") & set(code)


def test_code_has_at_least_64_random_bits():
    assert len(codes.ALPHABET) ** (codes.CODE_LENGTH - 1) > 2**64


@given(st.integers(0, 15), st.integers(1, 30))
def test_each_wrong_character_is_seen(place, shift):
    text = codes.normalize(codes.new_code())
    wrong = codes.ALPHABET[(codes.ALPHABET.index(text[place]) + shift) % len(codes.ALPHABET)]
    text = text[:place] + wrong + text[place + 1 :]

    assert not codes.has_valid_check(text)
    assert codes.is_mistyped(text)


@given(st.integers(0, 15), st.integers(0, 15))
def test_each_exchange_of_two_different_characters_is_seen(first, second):
    text = list(codes.normalize(codes.new_code()))
    before = list(text)
    text[first], text[second] = text[second], text[first]

    assert codes.has_valid_check("".join(text)) == (text == before)


@given(st.text(max_size=300))
def test_any_text_has_a_digest_and_no_space(text):
    normalized = codes.normalize(text)

    assert not any(character.isspace() for character in normalized)
    assert len(codes.digest(KEY, normalized)) == 16


def test_digest_depends_on_the_key_and_hides_the_code():
    code = codes.normalize(codes.new_code())

    assert codes.digest(KEY, code) != codes.digest("another key", code)
    assert codes.digest(KEY, "A-1") != codes.number_digest(KEY, "A-1")


def test_encrypted_code_is_read_with_its_key_alone():
    code = codes.new_code()
    encrypted = codes.encrypt(KEY, code)

    assert codes.decrypt(KEY, encrypted) == code
    assert codes.decrypt("another key", encrypted) is None
    assert codes.decrypt(KEY, encrypted[:-1] + b"x") is None
    assert code.encode() not in encrypted
    assert codes.encrypt(KEY, code) != encrypted
