"""Rows that tell periods apart, as a wide table with a column a period: pandas' one home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.inventory import TrendRow

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = "_.-:=+*#"


def pivoted(rows: Sequence[TrendRow], keys: Sequence[str]) -> list[tuple[tuple[str, ...], list[int]]]:
    """The machines of each key, a figure a period, in the order of the days; 0 where there were none.

    Raises:
        ConfigError: pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - half a second, for wide tables alone
    except ImportError:
        raise ConfigError(
            "a table of periods needs pandas: install vetuste[pivot], or ask for --format json"
        ) from None
    if not rows:
        return []
    long = pd.DataFrame([{**row.keys, "": row.day, " ": row.machines} for row in rows])
    wide = long.pivot_table(index=list(keys), columns="", values=" ", aggfunc="sum", fill_value=0)
    names = [name if isinstance(name, tuple) else (name,) for name in wide.index]
    return [
        (tuple(map(str, name)), [int(figure) for figure in figures])
        for name, figures in zip(names, wide.to_numpy(), strict=True)
    ]


def sparkline(figures: Sequence[int], encoding: str | None) -> str:
    """Figures as a line of little bars, the greatest the highest; of ASCII where no others can be written."""
    bars = _BLOCKS
    try:
        bars.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        bars = _ASCII
    most = max(figures, default=0) or 1
    return "".join(bars[figure * (len(bars) - 1) // most] for figure in figures)
