"""A campaign's manifest: everything that its head stands for (docs/sealing.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner.audit.canonical import START, canonical, digest
from scanner.audit.chain import Segment, first_broken
from scanner.errors import ConfigError, VetusteError
from scanner.jsonl import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT: Final = "vetuste-campaign-1"
LARGEST: Final = 1 << 26
"""Most bytes of a manifest that is read."""
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_TABLE: Final = re.compile(r"[a-z][a-z_]{0,40}")
_COUNTED: Final = 1 << 50


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read: its bytes, what they say, and the head over them."""

    content: bytes
    said: Mapping[str, Any]
    segments: tuple[Segment, ...]

    @property
    def head(self) -> str:
        """The digest that stands for all of it."""
        return head_of(self.content)

    @property
    def name(self) -> str:
        """The campaign's."""
        return str(self.said.get("name", ""))

    @property
    def previous(self) -> str:
        """The head of the campaign that was closed before it in the same inventory."""
        return str(self.said["previous"])


def head_of(content: bytes) -> str:
    """The head of a manifest."""
    return digest("head", content)


def manifest_of(said: Mapping[str, object], segments: Sequence[Segment], previous: str) -> Manifest:
    """Make the manifest of a campaign that is closed.

    Args:
        said: what else is sealed.
        segments: linked.
        previous: the head of the campaign closed before it; empty without one.
    """
    link = segments[-1].link if segments else START
    whole = {**said, "format": FORMAT, "previous": previous or START, "chain": link}
    content = canonical({**whole, "segments": [segment.plain() for segment in segments]})
    return Manifest(content, whole, tuple(segments))


def read_manifest(content: bytes) -> Manifest:
    """Read what somebody says is a manifest.

    Raises:
        VetusteError: it is none, or contradicts itself; says where.
    """
    try:
        said = parsed(content)
    except ConfigError as error:
        raise VetusteError("the manifest is damaged: {why}", why=error) from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise VetusteError("the manifest is of another format; this program reads {format}", format=FORMAT)
    try:
        whole = canonical(said)
    except (ValueError, RecursionError):
        whole = b""
    if whole != content:
        raise VetusteError("the manifest is not written as manifests are: it was changed")
    segments = tuple(map(_segment, _list(said.get("segments"))))
    if not _HEX.fullmatch(str(said.get("previous"))):
        raise VetusteError("the manifest is damaged: {why}", why="previous")
    broken = first_broken(segments)
    if broken:
        raise VetusteError("the chain of the manifest is broken at {segment}", segment=broken.name)
    if said.get("chain") != (segments[-1].link if segments else START):
        raise VetusteError("the chain of the manifest does not end where the manifest says")
    return Manifest(content, said, segments)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise VetusteError("the manifest is damaged: {why}", why="segments")
    return value


def _segment(value: object) -> Segment:
    known = {"table", "number", "rows", "size", "sha256", "link"}
    right = isinstance(value, dict) and value.keys() == known
    if right and isinstance(value, dict):
        numbers = [value["number"], value["rows"], value["size"]]
        right = (
            all(type(number) is int and 0 < number < _COUNTED for number in numbers)
            and all(_HEX.fullmatch(str(value[name])) for name in ("sha256", "link"))
            and bool(_TABLE.fullmatch(str(value["table"])))
        )
        if right:
            return Segment(**value)
    raise VetusteError("the manifest is damaged: {why}", why="segments")
