"""Machines whose names are meant to do harm, and what all exports are told of them."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from scanner.exports import Format, Options, formats
from scanner.exports.operation import Operation
from scanner.exports.whole import Whole
from scanner.inventory.lateness import Lateness
from scanner.inventory.rows import Asset, CountRow, CoverageRow, Denominator, Place, ScanRow
from scanner.lifecycle import Policy, judge
from scanner.model import Certainty, Identity, Release, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

TODAY: Final = date(2026, 11, 23)
SCANNED: Final = datetime(2026, 11, 20, 8, 0, 0, 123, tzinfo=UTC)
DAY: Final = timedelta(days=1)
XP: Final = Release(
    "w-xp", "Windows XP SP3", "Windows XP", "Windows", "Microsoft", Role.CLIENT, ("5.1.2600",),
    end=date(2014, 4, 8),
)  # fmt: skip
NAS: Final = Release("nas", "Firmware 2", "NAS box", "", "Maker", Role.EMBEDDED)
WORDS: Final = (
    *("=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\n=1", '"=1', "a;=1", "a,b;c|d"),
    *("http://example.test/", "mailto:a@b.test", "{=1}", "007", "1e5", "TRUE", "_x003D_1+1", "&lt;b>]]>"),
    *("\u202egnp.exe", "\x00\x07\x1b[31m", "\ud800", "\ufffe", 'quo"te', "back\\slash", 'end\\"', "\\"),
    *("x" * 10_000, "😀" * 10_000, "é" * 40_000, " ", "{", "}", "{name}", "%s", "\u200b"),
)
"""Whatever a stranger may be called."""


def machine(number: int = 1, *candidates: Release, **more: Any) -> Asset:  # noqa: ANN401 - any field of an asset
    made = Asset(
        id=number,
        place=Place("CHU", ward="Réa", building="B", floor="2", subnet="10.20.0.0/16"),
        address=f"10.20.{number >> 8}.{number & 255}",
        identity=Identity(tuple(each.id for each in candidates), Certainty.CERTAIN),
        verdict=judge(candidates, TODAY, Policy()),
        candidates=candidates,
        first_seen=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        last_seen=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
    )
    return replace(made, **more)


def named(word: str, number: int = 1) -> Asset:
    """A machine of which everything that a stranger, or a site file, may say is this word."""
    odd = Release(word, word, word, word, word, Role.CLIENT, (word,), end=date(2014, 4, 8), source=word)
    return machine(
        number,
        odd,
        place=Place(word, word, word, word, word, word, word, word, word, word),
        name=word,
        fqdn=f"{word}.{word}",
        domain=word,
        mac=word,
        addresses=("2001:db8::1",),
        evidence={"smb.native_os": (word, word), "smb.signing": (word,)},
        asked=frozenset({"smb"}),
        data_version=word,
        identity=Identity(
            (word,), Certainty.CERTAIN, (), dict.fromkeys(("version", "device", "family"), word)
        ),
    )


def crowd() -> list[Asset]:
    found = [named(word, number) for number, word in enumerate(WORDS, start=1)]
    return [*found, machine(500, XP), machine(501), machine(502, NAS), machine(503, XP, managed=True)]


def whole(*words: str) -> Whole:
    """Figures of a site and wards of these names."""
    keys = [{"site": "CHU", "ward": word} for word in words]
    rows = tuple(CountRow(each, 3, 2, 1, seen=9, scope=256, never_scanned=200) for each in keys)
    return Whole(
        Denominator(256, 9, 200),
        rows,
        tuple(replace(row, keys={**row.keys, "status": "unsupported"}) for row in rows),
        tuple(CoverageRow(each, 256, oldest_scan=TODAY, newest_scan=TODAY) for each in keys),
        {"CHU": SCANNED},
        {"data": "abc", "program": "1"},
        Operation((_night(),), Counter({"CHU": 2}), Counter({("CHU", "open"): 4, ("CHU", "waived"): 1})),
    )


def _night() -> Lateness:
    newest = ScanRow(
        *(7, "CHU", SCANNED - timedelta(minutes=90), SCANNED, "done", "clinical", "all", {}),
        counts={"attempts": 1234},
        request={},
        digest="",
    )
    return Lateness("CHU", "Hôpital", "GHT", timedelta(hours=24), SCANNED, SCANNED + DAY, newest)


def form(name: str) -> Format:
    return next(each for each in formats() if each.name == name)


def written(chosen: Format | str, assets: Iterable[Asset], lang: str = "fr", **more: Any) -> bytes:  # noqa: ANN401 - options
    """The bytes of an export."""
    chosen = form(chosen) if isinstance(chosen, str) else chosen
    options = Options(TODAY, lang, **more)
    raw = io.BytesIO()
    if chosen.binary:
        chosen.write(assets, raw, options)
        return raw.getvalue()
    stream = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="")
    chosen.write(assets, stream, options)
    stream.flush()
    return raw.getvalue()
