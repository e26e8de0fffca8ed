"""Recorded answers, and what the index that comes with them says is in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = CORPUS / "smb-replies" if CORPUS else None


@dataclass(frozen=True)
class Recorded:
    """One answer: its bytes as they were on the wire, and the index's row."""

    name: str
    raw: bytes
    row: dict[str, Any]

    @property
    def kind(self) -> str:
        """``smb1 negotiate``, ``smb2 sessionsetup``, …"""
        return f"{self.row['parsed'].get('proto', '')} {self.row['kind']}".strip()


def _read() -> tuple[Recorded, ...]:
    if FOLDER is None:
        return ()
    rows = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return tuple(Recorded(row["file"], (FOLDER / row["file"]).read_bytes(), row) for row in rows)


ANSWERS = _read()
SMB = tuple(answer for answer in ANSWERS if answer.row["parsed"].get("proto"))


def of_kind(kind: str) -> tuple[Recorded, ...]:
    return tuple(answer for answer in ANSWERS if answer.kind == kind)


def stream(part: str) -> list[bytes]:
    """The answers of one TCP stream, in order, by a part of their files' names."""
    found = [answer.raw for answer in ANSWERS if part in answer.name]
    assert found, part
    return found


def distinct(answers: tuple[Recorded, ...], key: Callable[[Recorded], object]) -> tuple[Recorded, ...]:
    """One answer for each value of ``key``: what is tested at length is tested once a kind of host."""
    return tuple({key(answer): answer for answer in reversed(answers)}.values())
