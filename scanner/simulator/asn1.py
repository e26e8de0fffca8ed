"""ASN.1 as servers write and read it ([X.690] 8): the simulator's own codec."""

from __future__ import annotations


def der(tag: int, value: bytes) -> bytes:
    """An element with a definite length ([X.690] 8.1.3)."""
    size = len(value)
    if size < 0x80:  # noqa: PLR2004 - the short form of a length
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def integer(number: int, tag: int = 0x02) -> bytes:
    """A number that is not negative ([X.690] 8.3)."""
    return der(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """The content of an object identifier ([X.690] 8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | number & 0x7F)
        content += bytes(groups)
    return bytes(content)


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that stand one after another, tag and content each; none where they are not whole."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            return []
        tag, size, at = data[at], data[at + 1], at + 2
        if size >= 0x80:  # noqa: PLR2004 - the long form
            start, at = at, at + (size & 0x7F)
            size = int.from_bytes(data[start:at], "big")
        if at + size > len(data):
            return []
        found.append((tag, data[at : at + size]))
        at += size
    return found
