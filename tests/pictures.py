"""Makes a browser's picture small: 256 colors are enough for a page."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import batched

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXACT = 32
_MOST = 256


def smaller(png: bytes) -> bytes:
    """Return an 8-bit RGB picture with a palette of at most 256 colors."""
    chunks = dict(_chunks(png))
    width, height, depth, sort = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, sort) == (8, 2), "only 8 bits RGB, which is what Chromium writes"
    rows = list(_rows(zlib.decompress(chunks[b"IDAT"]), width * 3, height))
    pixels = [[bytes(pixel) for pixel in batched(row, 3)] for row in rows]
    places, palette = _palette(Counter(pixel for row in pixels for pixel in row))
    packed = b"".join(b"\0" + bytes(places[pixel] for pixel in row) for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(packed, 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _palette(colors: Counter[bytes]) -> tuple[dict[bytes, int], bytes]:
    """Choose the commonest colors, one of every region, and then of every neighborhood."""
    exact = [color for color, _ in colors.most_common(_EXACT)]
    candidates = [*exact, *_of_each_area(colors, 5), *_of_each_area(colors, 2)]
    chosen = list(dict.fromkeys(candidates))[:_MOST]
    place = {color: number for number, color in enumerate(chosen)}
    for color in colors:
        if color not in place:
            place[color] = min(range(len(chosen)), key=lambda n: _distance(color, chosen[n]))
    return place, b"".join(chosen)


def _of_each_area(colors: Counter[bytes], bits: int) -> Iterator[bytes]:
    """Yield the commonest color of each area, an area being what differs in so few bits."""
    areas: dict[tuple[int, ...], Counter[bytes]] = {}
    for color, count in colors.items():
        areas.setdefault(tuple(part >> bits for part in color), Counter())[color] = count
    for area in sorted(areas.values(), key=lambda area: -area.total()):
        yield area.most_common(1)[0][0]


def _distance(first: bytes, second: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert png.startswith(_SIGNATURE)
    position, pixels = len(_SIGNATURE), b""
    while position < len(png):
        length, name = struct.unpack_from(">I4s", png, position)
        content = png[position + 8 : position + 8 + length]
        pixels += content if name == b"IDAT" else b""
        yield name, pixels if name == b"IDAT" else content
        position += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def _rows(raw: bytes, width: int, height: int) -> Iterator[bytearray]:
    """Undo the filters of PNG (W3C PNG, section 9): each byte was stored as a difference."""
    before = bytearray(width)
    for start in range(0, height * (width + 1), width + 1):
        row = bytearray(raw[start + 1 : start + 1 + width])
        _undo(raw[start], row, before)
        yield row
        before = row


def _undo(how: int, row: bytearray, above: bytearray) -> None:
    if how == 0:
        return
    for i in range(len(row)):
        left_byte, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
        up = above[i]
        guess = (left_byte, up, (left_byte + up) // 2, _paeth(left_byte, up, corner))[how - 1]
        row[i] = (row[i] + guess) & 255


def _paeth(left_byte: int, up: int, corner: int) -> int:
    guess = left_byte + up - corner
    return min((left_byte, up, corner), key=lambda value: abs(guess - value))
