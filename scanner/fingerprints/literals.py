"""What a pattern's matches have in common, as plain text: so that few patterns need be tried on a value.

Both are found in the tree that Python's own parser makes of a pattern, and both err on the safe side: what
they let through is still for the pattern to decide.
"""

from __future__ import annotations

import re
from itertools import groupby, product
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Node: TypeAlias = "tuple[Any, Any]"
_Texts: TypeAlias = "tuple[set[str], set[str]]"
"""What a part of a pattern may begin with: texts that are all it matches, and texts that more may follow."""
_MOST: Final = 48
"""Beginnings of one pattern, and characters of one class, that are told one by one."""
_FEW: Final = 24
"""Texts of which one stands in a value, before it costs less to try the pattern."""
_TIMES: Final = 6
"""Repetitions that are written out."""
_REPEATS: Final = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_ANYTHING: Final[_Texts] = (set(), {""})


def literals(pattern: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts of which every match begins with one, and texts of which every match, folded, has one in it.

    None is empty, unless it is alone: then there is nothing that all matches have.
    """
    tree = _parser.parse(pattern)
    begins = ("",) if tree.state.flags & re.IGNORECASE else _shortest(_sequence(list(tree)))
    return begins, _within(tree)


def _within(nodes: Iterable[_Node]) -> tuple[str, ...]:
    """Texts of which a sequence, folded, has one in it: the longest that can be told in a few."""
    opened, texts = list(_opened(nodes)), list[_Texts]()
    for is_text, run in groupby(opened, lambda node: node[0] is _constants.LITERAL):
        told = [_texts(node, fold=True) for node in run]
        texts += [_joined(told, _FEW)] if is_text else told
    places = reversed(range(len(texts)))  # the beginning last: it is known besides
    found = [_shortest(_joined(texts[place:], _FEW)) for place in places]
    for operation, value in opened:
        if operation is _constants.BRANCH:
            found.append(tuple(sorted({text for branch in value[1] for text in _within(branch)})))
    few = (each for each in found if len(each) <= _FEW)
    return max(few, key=lambda each: (min(map(len, each)), -len(each)), default=("",))


def folded(text: str) -> str:
    """A text without its case, as patterns see it that look at none: to them, both Turkish ones are an i."""
    return text.replace("\u0130", "i").replace("\u0131", "i").casefold()


def _shortest(texts: _Texts) -> tuple[str, ...]:
    """Those that say all: what begins with another one of them is left out."""
    found = texts[0] | texts[1]
    return tuple(sorted(text for text in found if not any(text[:end] in found for end in range(len(text)))))


def _sequence(nodes: list[_Node], *, fold: bool = False) -> _Texts:
    return _joined((_texts(node, fold=fold) for node in nodes), _MOST)


def _joined(texts: Iterable[_Texts], most: int) -> _Texts:
    """What parts one after the other may begin with, as far as it can be told in so many texts."""
    whole, parts = {""}, set[str]()
    for more, cut in texts:
        if len(whole) * (len(more) + len(cut)) + len(parts) > most:
            more, cut = set(), set(_shortest((more, cut)))  # noqa: PLW2901 - less of it
        if len(whole) * len(cut) + len(parts) > most:
            return set(), whole | parts
        parts |= {before + after for before, after in product(whole, cut)}
        whole = {before + after for before, after in product(whole, more)}
        if not whole:
            break
    return whole, parts


def _texts(node: _Node, *, fold: bool) -> _Texts:
    operation, value = node
    if operation is _constants.LITERAL:
        return {folded(chr(value)) if fold else chr(value)}, set()
    if operation is _constants.IN:
        whole, parts = _class(value)
        return set(map(folded, whole)) if fold else whole, parts
    if operation is _constants.SUBPATTERN:
        opened = not value[2] and value[1] in {0, re.IGNORECASE if fold else 0}
        return _sequence(list(value[3]), fold=fold) if opened else _ANYTHING
    if operation is _constants.BRANCH:
        branches = [_sequence(list(branch), fold=fold) for branch in value[1]]
        whole = set().union(*(each for each, _ in branches))
        return whole, set().union(*(each for _, each in branches))
    return _repeated(*value, fold=fold) if operation in _REPEATS else _ANYTHING


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


def _repeated(least: int, most: int, nodes: list[_Node], *, fold: bool) -> _Texts:
    if least == most and least <= _TIMES:
        return _sequence(list(nodes) * least, fold=fold)
    whole, parts = _sequence(list(nodes), fold=fold)
    if least:
        return set(), whole | parts
    return (whole | {""}, parts) if most == 1 else ({""}, whole | parts)


def _opened(nodes: Iterable[_Node]) -> Iterator[_Node]:
    """A sequence with the groups in it opened that look at case or do not, and at nothing else."""
    for node in nodes:
        if node[0] is _constants.SUBPATTERN and node[1][1] in {0, re.IGNORECASE} and not node[1][2]:
            yield from _opened(list(node[1][3]))
        else:
            yield node
