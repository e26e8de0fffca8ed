"""Fingerprints as JSON, for the cache: everything of them that was read, checked and found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scanner.fingerprints import Fingerprint, Fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.fingerprints import Claim


def packed(fingerprints: Fingerprints) -> object:
    """What JSON can hold of them, but for their version: each key's as a text, which takes little room."""
    return {key: json.dumps(list(map(_row, entries))) for key, entries in fingerprints.by_key.items()}


def _row(one: Fingerprint) -> list[object]:
    examples = [(value, dict(gives)) for value, gives in one.examples]
    claims = dict(one.asserts), dict(one.suggests), dict(one.names)
    marks = one.contradicts, one.imitated, examples, one.refuses, one.begins, one.holds
    return [one.voice, one.file, one.name, one.expression, *claims, *marks]


def unpacked(kept: dict[str, str], version: str) -> Fingerprints:
    """The same again; those of a key are made when it is first asked for, because hosts tell few of them."""
    return Fingerprints(_Kept(kept), version)


def anew(fingerprints: Fingerprints) -> Fingerprints:
    """The same once more: what is made of them for a check is not kept with those that hosts are told by."""
    kept = fingerprints.by_key
    return Fingerprints(_Kept(kept.texts) if isinstance(kept, _Kept) else kept, fingerprints.version)


class _Kept(Mapping[str, tuple[Fingerprint, ...]]):
    """Fingerprints by key, as they were kept."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts, self._made = texts, dict[str, tuple[Fingerprint, ...]]()

    def __getitem__(self, key: str) -> tuple[Fingerprint, ...]:
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = tuple([_fingerprint(key, row) for row in json.loads(self.texts[key])])
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def _fingerprint(key: str, row: list[Any]) -> Fingerprint:
    voice, file, name, expression, asserts, suggests, names, *marks = row
    contradicts, imitated, won, refuses, begins, holds = marks
    return Fingerprint(
        key, voice, file, name, expression, _claim(asserts), _claim(suggests), names, contradicts, imitated,
        tuple(map(tuple, won)), tuple(refuses), tuple(begins), tuple(holds),
    )  # fmt: skip


def _claim(kept: dict[str, list[str]]) -> Claim:
    return {key: tuple(values) for key, values in kept.items()}
