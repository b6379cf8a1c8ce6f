import base64
import json
import uuid
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.consent import receipts
from customers.consent.hash_chain import GENESIS_DIGEST, canonical_json, chain_digest
from customers.consent.receipts import ChainLink, Signer, UnreadableReceipt

SIGNER = Signer(bytes(range(32)))
KEYS = {SIGNER.key_id: SIGNER.public}
NOOR = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def chain(length=4, record=NOOR):
    links, previous = [], GENESIS_DIGEST
    for seq in range(1, length + 1):
        document = {"subject_id": str(record), "seq": seq, "kind": "consent.given", "n": "ø€😀"}
        digest = chain_digest(previous, canonical_json(document))
        links.append(ChainLink(record, seq, previous, digest, document))
        previous = digest
    return links


def sealed(link):
    return link._replace(document=None)


def look(export, keys=KEYS):
    """Read the file as its recipient does."""
    return receipts.verify(receipts.read_file(json.dumps(export).encode()), keys)


def test_receipt_is_verified_with_the_public_key():
    verdict = look(SIGNER.receipt(chain()[2]))

    assert verdict == (1, 0, (), ())


def test_receipt_of_an_entry_never_changes():
    assert SIGNER.receipt(chain()[1]) == SIGNER.receipt(chain()[1])


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("path", list(leaves(SIGNER.receipt(chain()[2]))), ids=".".join)
def test_receipt_with_any_changed_field_is_not_genuine(path):
    forged = deepcopy(SIGNER.receipt(chain()[2]))
    inside = forged
    for name in path[:-1]:
        inside = inside[name]
    before = inside[path[-1]]
    inside[path[-1]] = before + 1 if isinstance(before, int) else "0" + before[1:] + "0"

    try:
        verdict = look(forged)
    except UnreadableReceipt:
        return
    assert verdict.faults or verdict.unknown_keys


@given(st.integers(0, 63), st.integers(1, 255))
def test_signature_with_one_changed_byte_is_invalid(at, change):
    forged = SIGNER.receipt(chain()[0])
    raw = bytearray(base64.b64decode(forged["signature"]))
    raw[at] ^= change
    forged["signature"] = base64.b64encode(raw).decode()

    assert look(forged).faults


def test_receipt_signed_with_an_unknown_key_is_refused():
    forged = Signer(bytes(32)).receipt(chain()[0])

    verdict = look(forged)

    assert (verdict.faults, verdict.unknown_keys) == ((), (Signer(bytes(32)).key_id,))


def test_key_list_with_a_wrong_key_id_is_refused():
    listed = {"key_id": SIGNER.key_id, "public_key": base64.b64encode(bytes(32)).decode()}

    with pytest.raises(UnreadableReceipt, match="does not match the key"):
        receipts.read_keys(json.dumps({"keys": [listed]}).encode())


def test_receipt_does_not_verify_at_another_position():
    moved = chain()[0]._replace(seq=2)

    assert any("another place" in fault for fault in look(SIGNER.receipt(moved)).faults)


def tampered(change):
    export = receipts.build_export([chain()], SIGNER)
    change(export["chains"][0])
    return look(export).faults


def test_a_whole_chain_is_genuine():
    assert look(receipts.build_export([chain()], SIGNER)) == (4, 0, (), ())
    assert look(receipts.build_export([], SIGNER)) == (0, 0, (), ())


def test_sealed_entry_keeps_its_position_in_the_chain():
    links = chain()
    links[1] = sealed(links[1])

    export = receipts.build_export([links], SIGNER)

    assert "document" not in export["chains"][0][1]
    assert look(export) == (3, 1, (), ())


@pytest.mark.parametrize(
    "change",
    [
        lambda links: links.pop(1),
        lambda links: links.pop(0),
        lambda links: links.reverse(),
        lambda links: links.insert(1, links[0]),
        lambda links: links.insert(2, SIGNER.receipt(chain(record=uuid.uuid4())[1])),
        lambda links: links[1].update(document=links[2]["document"]),
        lambda links: links[2]["document"].update(kind="consent.withdrawn"),
        lambda links: links[2].update(previous="00" * 32),
        lambda links: links.__setitem__(slice(1, 3), []),
        lambda links: links.append("a fifth"),
        lambda links: links[1].pop("document"),
        lambda links: links.__setitem__(
            1, {n: links[1][n] for n in ("record", "seq", "previous")} | {"digest": "00" * 32}
        ),
    ],
    ids=[
        "one missing",
        "the first missing",
        "turned around",
        "one doubled",
        "one put in",
        "words exchanged",
        "words changed",
        "untied",
        "the middle cut out",
        "something else",
        "not quite sealed",
        "sealed over other words",
    ],
)
def test_tampered_chain_is_detected(change):
    assert tampered(change)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"schema": "butler.receipt/2"}',
        b'{"schema": "butler.receipt/1", "schema": "butler.receipt/1"}',
        b'{"schema": "butler.ledger/1", "schema": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=[
        "nothing",
        "a list",
        "newer",
        "a name twice",
        "a name twice, differing",
        "no text",
        "deep",
    ],
)
def test_invalid_receipt_is_reported(text):
    with pytest.raises(UnreadableReceipt):
        receipts.read_file(text)


@pytest.mark.parametrize("chains", [None, {}, [{}], ["x"]], ids=repr)
def test_export_without_chains_is_invalid(chains):
    with pytest.raises(UnreadableReceipt):
        look({"schema": receipts.EXPORT_SCHEMA, "chains": chains})


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b'{"keys": 1}', b'{"keys": [{"key_id": "a"}]}', b'{"keys": ["a"]}'],
    ids=str,
)
def test_invalid_key_list_is_reported(text):
    with pytest.raises(UnreadableReceipt):
        receipts.read_keys(text)
