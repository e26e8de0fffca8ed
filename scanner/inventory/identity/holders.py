"""Which assets have a trait, and what it says for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.traits import (
    ADDRESS,
    CARD,
    beginning,
    is_long,
    passes,
    rules,
    settles,
    weight_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner.inventory.identity.known import Tenure

_SHARED: Final = 4
"""What several machines have at the same time, or one took over from another, says so many times less."""
COMMON: Final = 16
"""What more assets have is common: it finds none of them."""


class Holders:
    """Which assets have a trait, and which of them it tells from others."""

    def __init__(self) -> None:
        self._tenures: dict[tuple[str, str], dict[int, Tenure]] = {}
        self.common: set[tuple[str, str]] = set()
        """What so many assets have that it tells none of them from others."""
        self._beginnings: set[str] = set()
        """NetBIOS names that are the beginning of a longer name of one of the assets."""

    def add(self, kind: str, value: str, asset: int, tenure: Tenure) -> None:
        """Note that an asset has it."""
        tenures = self._tenures.setdefault((kind, value), {})
        tenures[asset] = tenure
        if len(tenures) > COMMON and kind != ADDRESS:
            self.common.add((kind, value))
        if kind == "fqdn" and is_long(value):
            self._beginnings.add(beginning(kind, value))

    def of(self, kind: str, value: str) -> Mapping[int, Tenure]:
        """Who has it."""
        return self._tenures.get((kind, value), {})

    def drop(self, kind: str, value: str, asset: int) -> None:
        """Note that an asset has it no more."""
        self._tenures.get((kind, value), {}).pop(asset, None)

    def is_alone(self, kind: str, value: str) -> bool:
        """Whether one asset alone has it."""
        return len(self.of(kind, value)) == 1 and (kind, value) not in self.common

    def go_round(self, cards: Iterable[str]) -> bool:
        """Whether any of these cards belongs to several assets, or is of a kind that passes on."""
        return any(
            passes(card) or len(self.of(CARD, card)) > 1 or (CARD, card) in self.common for card in cards
        )

    def weight_of(self, kind: str, value: str) -> int:
        """What a trait says while no other asset has it; a name that was cut may be others' as well."""
        weight = weight_of(kind, value)
        is_cut = kind == "name" and bool(self._beginnings) and beginning(kind, value) in self._beginnings
        return min(weight, rules().common_weight) if is_cut else weight

    def weight(self, kind: str, value: str, asset: int) -> int:
        """What it says for an asset: whole for who has it alone now, a part for all others."""
        weight, tenures = self.weight_of(kind, value), self.of(kind, value)
        if (kind, value) in self.common:
            return weight // _SHARED
        if len(tenures) < 2:  # noqa: PLR2004 - who has it alone
            return weight
        latest = max(tenures, key=lambda each: tenures[each].last)
        mine = tenures[asset]
        others = [tenure for each, tenure in tenures.items() if each != latest]
        alone = latest == asset and not _overlaps(tenures[latest], others)
        if rules().kinds[kind].group == "names" and weight >= rules().enough:
            # a domain has it once: whoever was met with it in one night alone, beside this one, was this one
            alone |= all(
                not tenure.before and (mine.before or asset < each)
                for each, tenure in tenures.items()
                if each != asset
            )
        return weight if alone else weight // _SHARED


def stays_with(holders: Holders, card: str, *assets: int) -> bool:
    """Whether a card stays with a machine, and nobody but these assets has it."""
    lent = not settles(card) or (CARD, card) in holders.common
    return not lent and holders.of(CARD, card).keys() <= {*assets}


def _overlaps(latest: Tenure, others: Iterable[Tenure]) -> bool:
    """Whether two had it at the same time, and not one after the other."""
    return any(other.last > latest.first or other.scan == latest.scan for other in others)
