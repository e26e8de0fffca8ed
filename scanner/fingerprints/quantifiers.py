"""Refusing patterns that a hostile answer could make slow.

A fingerprint sees text that strangers chose. Python's matcher backtracks, so a pattern in which two
quantifiers can share the same characters takes time that grows with a power of the text's length. Such
patterns are refused when they are loaded: quantifiers inside repeated groups, alternatives that begin alike
inside a repeated group, and two quantifiers over common characters with nothing between that holds them
apart.
"""

from __future__ import annotations

import re
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

_Node: TypeAlias = "tuple[Any, Any]"
_EVERY: Final = (1 << 257) - 1
"""A set of characters as bits: the first 256 one by one, all others as the last bit."""
_REPEATS: Final = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_CATEGORIES: Final = {
    _constants.CATEGORY_DIGIT: r"\d",
    _constants.CATEGORY_NOT_DIGIT: r"\D",
    _constants.CATEGORY_SPACE: r"\s",
    _constants.CATEGORY_NOT_SPACE: r"\S",
    _constants.CATEGORY_WORD: r"\w",
    _constants.CATEGORY_NOT_WORD: r"\W",
}


class UnsafeError(ValueError):
    """A pattern may become slow, or uses what cannot be checked."""


def _character(code: int) -> int:
    return 1 << min(code, 256)


def _category(category: object) -> int:
    test = re.compile(_CATEGORIES[category]).fullmatch
    return (1 << 256) | sum(1 << code for code in range(256) if test(chr(code)))


def _member(operation: object, value: Any) -> int:  # noqa: ANN401 - the parser's trees have no types
    if operation is _constants.RANGE:
        return sum(_character(code) for code in range(value[0], min(value[1], 255) + 1)) | _character(
            value[1]
        )
    return _category(value) if operation is _constants.CATEGORY else _character(value)


def _one_of(members: list[_Node]) -> int:
    negated = members[0][0] is _constants.NEGATE
    bits = 0
    for operation, value in members[negated:]:
        bits |= _member(operation, value)
    return _EVERY & ~bits | (1 << 256) if negated else bits


def _first(nodes: list[_Node]) -> int:
    """The characters that a sequence may begin with."""
    bits = 0
    for node in nodes:
        bits |= _characters(node, first=True)
        if _least(node):
            break
    return bits


def _characters(node: _Node, *, first: bool = False) -> int:
    """The characters that a node may match anywhere, or only at its beginning."""
    operation, value = node
    if operation in {_constants.LITERAL, _constants.NOT_LITERAL}:
        return _character(value) if operation is _constants.LITERAL else _EVERY & ~_character(value)
    if operation is _constants.ANY:
        return _EVERY
    if operation is _constants.IN:
        return _one_of(value)
    bits = 0
    for inner in _inside(node):
        bits |= _first(inner) if first else _union(inner)
    return bits


def _union(nodes: list[_Node]) -> int:
    bits = 0
    for node in nodes:
        bits |= _characters(node)
    return bits


def _inside(node: _Node) -> list[list[_Node]]:
    """The alternative sequences inside a node; none for single characters."""
    operation, value = node
    if operation in _REPEATS or operation is _constants.SUBPATTERN:
        return [list(value[-1])]
    if operation is _constants.BRANCH:
        return [list(branch) for branch in value[1]]
    if operation in {_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN}:
        return []
    raise UnsafeError(f"{str(operation).lower()} is not allowed in a fingerprint")


def _least(node: _Node) -> int:
    """The least number of characters that a node matches, as far as 1 matters."""
    operation, value = node
    inside = _inside(node)
    if operation in _REPEATS and value[0] == 0:
        return 0
    return min((sum(map(_least, inner)) for inner in inside), default=1)


def _varies(node: _Node) -> bool:
    operation, value = node
    return operation in _REPEATS and value[0] != value[1]


def _flat(nodes: list[_Node]) -> list[_Node]:
    """A sequence with the plain groups in it opened."""
    flat: list[_Node] = []
    for node in nodes:
        flat.extend(_flat(list(node[1][-1])) if node[0] is _constants.SUBPATTERN else [node])
    return flat


def _check_repeated(nodes: list[_Node]) -> None:
    """What is repeated must be of one shape: else its repetitions can be cut in several ways."""
    for node in _flat(nodes):
        if _varies(node):
            raise UnsafeError("a quantifier stands inside a repeated group")
        inside = _inside(node)
        seen = 0
        for inner in inside:
            begins = _first(inner)
            if seen & begins or (len(inside) > 1 and not sum(map(_least, inner))):
                raise UnsafeError("alternatives inside a repeated group begin alike")
            seen |= begins
            _check_repeated(inner)


def _check_sequence(nodes: list[_Node]) -> None:
    flat = _flat(nodes)
    for position, node in enumerate(flat):
        if node[0] in _REPEATS and node[1][1] > 1:
            _check_repeated(list(node[1][2]))
        if _varies(node) and node[1][1] > 1:
            _check_neighbours(_characters(node), flat[position + 1 :])
        for inner in _inside(node):
            _check_sequence(inner)


def _holds_quantifier(node: _Node) -> bool:
    inside = (inner for branch in _inside(node) for inner in branch)
    return (_varies(node) and node[1][1] > 1) or any(map(_holds_quantifier, inside))


def _check_neighbours(characters: int, following: list[_Node]) -> None:
    """Nothing that varies may follow with common characters before something that holds them apart."""
    for node in following:
        if _characters(node, first=True) & characters:
            if _holds_quantifier(node) and _characters(node) & characters:
                raise UnsafeError(
                    "two quantifiers share characters with nothing between that holds them apart"
                )
        elif _least(node):
            return


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that may become slow.

    Raises:
        UnsafeError: it may, or it uses look-around, back-references or other things that are not checked.
        re.error: it is no pattern.
    """
    _check_sequence(list(_parser.parse(pattern)))
