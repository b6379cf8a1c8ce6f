import struct
import zlib

import pytest

from tests import pictures


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def _png(rows: list[bytes], width: int) -> bytes:
    """Write a picture whose rows are already filtered; the first byte says how."""
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    compressed = zlib.compress(b"".join(rows))
    # Cut in two, as browsers do with large pictures.
    parts = ((b"IHDR", head), (b"IDAT", compressed[:5]), (b"IDAT", compressed[5:]), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _colors(png: bytes) -> list[bytes]:
    """Read a picture with a palette back, pixel by pixel."""
    chunks = dict(pictures._chunks(png))
    width, height, depth, sort = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, sort) == (8, 3)
    raw, palette = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    pixels = [raw[y * (width + 1) + 1 + x] for y in range(height) for x in range(width)]
    return [palette[place * 3 : place * 3 + 3] for place in pixels]


@pytest.mark.parametrize(
    ("rows", "colors"),
    [
        pytest.param(
            [b"\0" + b"\x0a\x0b\x0c\x14\x15\x16"], [b"\x0a\x0b\x0c", b"\x14\x15\x16"], id="none"
        ),
        pytest.param(
            [b"\1" + b"\x0a\x0b\x0c\x0a\x0a\x0a"], [b"\x0a\x0b\x0c", b"\x14\x15\x16"], id="sub"
        ),
        pytest.param(
            [b"\0" + b"\x0a\x0b\x0c", b"\2" + b"\x01\x01\x01"],
            [b"\x0a\x0b\x0c", b"\x0b\x0c\x0d"],
            id="up",
        ),
        pytest.param(
            [b"\0" + b"\x0a\x0a\x0a", b"\3" + b"\x01\x01\x01"],
            [b"\x0a\x0a\x0a", b"\x06\x06\x06"],
            id="average",
        ),
        pytest.param(
            [b"\0" + b"\x0a\x0a\x0a", b"\4" + b"\xff\xff\xff"],
            [b"\x0a\x0a\x0a", b"\x09\x09\x09"],
            id="paeth-wraps",
        ),
    ],
)
def test_a_picture_keeps_its_colors_whatever_its_filter(rows, colors):
    width = (len(rows[0]) - 1) // 3

    assert _colors(pictures.smaller(_png(rows, width))) == colors


def test_a_thousand_colors_become_near_ones():
    row = b"\0" + b"".join(bytes((n % 256, n // 4 % 256, 40)) for n in range(1000))

    colors = _colors(pictures.smaller(_png([row], 1000)))

    assert len(set(colors)) <= 256
    for pixel, was in zip(colors, (row[i : i + 3] for i in range(1, len(row), 3)), strict=True):
        assert max(abs(a - b) for a, b in zip(pixel, was, strict=True)) <= 32
