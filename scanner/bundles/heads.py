"""The head of a bundle: which scan it is, of which site."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from scanner.addresses import IPV6_END
from scanner.bundles.checks import damaged, list_of, moment_in, number_in, table_of, text_of
from scanner.bundles.form import FORMAT
from scanner.config import site_of
from scanner.errors import ConfigError, DataError
from scanner.inventory.giving import Head
from scanner.inventory.utc import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.config import SiteFile

_STATES: Final = ("done", "interrupted", "failed", "killed")
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{64})?")
_KEYS: Final = (
    "format",
    "site",
    "profile",
    "scope",
    "state",
    "started",
    "ended",
    "digest",
    "request",
    "versions",
)
_COUNTED: Final = 1 << 53


def head_said(head: Head) -> dict[str, Any]:
    """A head as JSON has it."""
    said = {name: getattr(head, name) for name in _KEYS if name != "format"}
    said |= {"format": FORMAT, "counts": dict(head.counts), "spans": [list(span) for span in head.spans]}
    return said | {"started": stamp(head.started), "ended": None if head.ended is None else stamp(head.ended)}


def read_head(said: object) -> tuple[Head, SiteFile | None]:
    """A head, and its site.

    Raises:
        DataError: it is of another format, or says something that none of ours says.
    """
    if not isinstance(said, dict) or "format" not in said:
        raise DataError("this is no bundle of a scan")
    if said["format"] != FORMAT:
        raise DataError(
            "the bundle is of another format than {format}, maybe of a newer vetuste", format=FORMAT
        )
    table = table_of(said, (*_KEYS, "counts", "spans"), "head")
    if table["state"] not in _STATES:
        raise damaged("state")
    head = Head(
        table["site"],
        text_of(table["profile"], "profile"),
        text_of(table["scope"], "scope"),
        table["state"],
        moment_in(table["started"], "started"),
        None if table["ended"] is None else moment_in(table["ended"], "ended"),
        _digest(table["digest"]),
        _request(table["request"]),
        {text_of(key, "versions"): text_of(value, "versions") for key, value in _items(table["versions"])},
        {
            text_of(key, "counts"): number_in(value, "counts", _COUNTED)
            for key, value in _items(table["counts"])
        },
        tuple(map(_span, list_of(table["spans"], "spans"))),
    )
    if head.ended is not None and head.ended < head.started:
        raise damaged("ended")
    return head, None if head.site is None else _file(head.site)


def _items(value: object) -> Any:  # noqa: ANN401 - of a dict of anything
    if not isinstance(value, dict):
        raise damaged("head")
    return value.items()


def _digest(value: object) -> str:
    text = text_of(value, "digest")
    if not _DIGEST.fullmatch(text):
        raise damaged("digest")
    return text


def _request(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - what JSON may be
    """What was asked for: nothing in it that may not be printed."""
    if isinstance(value, dict):
        if depth > 4:  # noqa: PLR2004 - ours is flat
            raise damaged("request")
        return {text_of(key, "request"): _request(each, depth + 1) for key, each in value.items()}
    if not depth:
        raise damaged("request")
    if isinstance(value, list):
        if depth > 4:  # noqa: PLR2004 - the same
            raise damaged("request")
        return [_request(each, depth + 1) for each in list_of(value, "request")]
    return text_of(value, "request") if isinstance(value, str) else value


def _span(value: object) -> tuple[int, int]:
    first, last = [*list_of(value, "spans", 2), None, None][:2]
    low = number_in(first, "spans", IPV6_END)
    return low, number_in(last, "spans", IPV6_END, low)


def _file(site: Mapping[str, Any]) -> SiteFile:
    """The site, checked as every site file is."""
    table = table_of(site, ("site", "esu", "ward"), "site")
    try:
        esu = [{**each, "until": date.fromisoformat(each["until"])} for each in table["esu"]]
        return site_of({**table, "esu": esu})
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise damaged(f"site: {error}" if isinstance(error, ConfigError) else "site") from error
