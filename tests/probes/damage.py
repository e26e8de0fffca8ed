"""Damage: up to three bytes of a conversation changed, left out or put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.probes.conversation import Answer

_TELLING = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
"""Values on which lengths, signs and terminators turn."""


def damaged(message: bytes, chance: random.Random) -> bytes:
    """The message with one to three bytes of it changed, left out or put in."""
    spoilt = bytearray(message)
    for _ in range(chance.randint(1, 3)):
        value = chance.choice(_TELLING) if chance.random() < 0.5 else chance.randrange(256)
        if not spoilt:
            spoilt.append(value)
            continue
        place, kind = chance.randrange(len(spoilt)), chance.randrange(8)
        if kind == 0:
            del spoilt[place]
        elif kind == 1:
            spoilt.insert(place, value)
        else:
            spoilt[place] = value
    return bytes(spoilt)


def damaged_conversation(
    connections: Sequence[Sequence[Answer]], chance: random.Random
) -> list[list[Answer]]:
    """The connections, with one answer damaged, or each."""
    places = [
        (row, column)
        for row, answers in enumerate(connections)
        for column, answer in enumerate(answers)
        if isinstance(answer, bytes)
    ]
    chosen = set(places) if not chance.randrange(4) else {chance.choice(places)}
    return [
        [
            damaged(answer, chance) if isinstance(answer, bytes) and (row, column) in chosen else answer
            for column, answer in enumerate(answers)
        ]
        for row, answers in enumerate(connections)
    ]
