"""What a pattern's matches have in common, as plain text: so that few patterns need be tried on a value.

Both are found in the tree that Python's own parser makes of a pattern, and both err on the safe side: what
they let through is still for the pattern to decide.
"""

from __future__ import annotations

import re
from itertools import product
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

_Node: TypeAlias = "tuple[Any, Any]"
_Texts: TypeAlias = "tuple[set[str], set[str]]"
"""What a part of a pattern may begin with: texts that are all it matches, and texts that more may follow."""
_MOST: Final = 48
"""Beginnings of one pattern, and characters of one class, that are told one by one."""
_TIMES: Final = 6
"""Repetitions that are written out."""
_REPEATS: Final = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_ANYTHING: Final[_Texts] = (set(), {""})


def literals(pattern: str) -> tuple[tuple[str, ...], str]:
    """Beginnings of which every match has one (none is empty, unless it is alone), and text that all hold."""
    tree = _parser.parse(pattern)
    if tree.state.flags & re.IGNORECASE:
        return ("",), ""
    nodes = list(tree)
    whole, parts = _sequence(nodes)
    begins = whole | parts
    shortest = {text for text in begins if not any(text[:end] in begins for end in range(len(text)))}
    runs = [*_runs(nodes)]
    return tuple(sorted(shortest)), max(runs[1:], key=len, default="")


def _sequence(nodes: list[_Node]) -> _Texts:
    whole, parts = {""}, set[str]()
    for node in nodes:
        more, cut = _texts(node)
        if len(whole) * (len(more) + len(cut)) + len(parts) > _MOST:
            return set(), whole | parts
        parts |= {before + after for before, after in product(whole, cut)}
        whole = {before + after for before, after in product(whole, more)}
        if not whole:
            break
    return whole, parts


def _texts(node: _Node) -> _Texts:
    operation, value = node
    if operation is _constants.LITERAL:
        return {chr(value)}, set()
    if operation is _constants.IN:
        return _class(value)
    if operation is _constants.SUBPATTERN:
        return _ANYTHING if value[1] or value[2] else _sequence(list(value[3]))
    if operation is _constants.BRANCH:
        branches = [_sequence(list(branch)) for branch in value[1]]
        whole: set[str] = set().union(*(each for each, _ in branches))
        return whole, set().union(*(each for _, each in branches))
    return _repeated(*value) if operation in _REPEATS else _ANYTHING


def _class(members: list[_Node]) -> _Texts:
    characters: set[str] = set()
    for operation, value in members:
        if operation is _constants.LITERAL:
            characters.add(chr(value))
        elif operation is _constants.RANGE and value[1] - value[0] < _MOST:
            characters |= set(map(chr, range(value[0], value[1] + 1)))
        else:
            return _ANYTHING
    return characters, set()


def _repeated(least: int, most: int, nodes: list[_Node]) -> _Texts:
    if least == most and least <= _TIMES:
        return _sequence(list(nodes) * least)
    whole, parts = _sequence(list(nodes))
    if least:
        return set(), whole | parts
    return (whole | {""}, parts) if most == 1 else ({""}, whole | parts)


def _runs(nodes: list[_Node]) -> Iterator[str]:
    """Texts that stand in every match; the first is its beginning, and may be empty."""
    run = ""
    for operation, value in _opened(nodes):
        if operation is _constants.LITERAL:
            run += chr(value)
            continue
        yield run
        run = ""
        if operation in _REPEATS and value[0]:
            yield from _runs(list(value[2]))
    yield run


def _opened(nodes: list[_Node]) -> Iterator[_Node]:
    """A sequence with the plain groups in it opened."""
    for node in nodes:
        if node[0] is _constants.SUBPATTERN and not node[1][1] and not node[1][2]:
            yield from _opened(list(node[1][3]))
        else:
            yield node
