"""JSON records with something else in the place of one of their values."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Place: TypeAlias = "tuple[str | int, ...]"


def records(content: bytes) -> list[Any]:
    """The records of a file, one a line."""
    lines = (line.strip(b" ,") for line in content.splitlines())
    return [json.loads(line) for line in lines if line.startswith(b"{")]


def places(value: object, here: Place = ()) -> Iterator[Place]:
    """The places of all values in a record, its own first."""
    yield here
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*here, key))


def replaced(record: object, place: Place, value: object) -> bytes:
    """A line with the record, and another value at a place."""
    if not place:
        return json.dumps(value).encode() + b"\n"
    changed: Any = copy.deepcopy(record)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return json.dumps(changed).encode() + b"\n"
