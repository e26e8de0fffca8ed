"""Verdicts, derived when someone reads: once for each identity and policy."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from scanner.lifecycle import Policy, judge, load_lifecycle
from scanner.model import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.model import Identity, Verdict

Place: TypeAlias = tuple[str, str]
"""A site's stored settings, and the name of a ward in it: what a policy depends on."""

Identified: TypeAlias = "tuple[Identity, str]"
"""An identity, and the version of the data that made it."""


_Question: TypeAlias = "tuple[tuple[str, ...], int, tuple[tuple[str, date], ...]]"
"""Ids of releases, and a policy: its horizon and the extensions that are held."""


@lru_cache(maxsize=4096)
def _judged(
    candidates: tuple[Release, ...], today: date, horizon: int, extensions: tuple[tuple[str, date], ...]
) -> Verdict:
    """A verdict by the data in use, kept from one reader to the next: most ask of the same sets."""
    return judge(candidates, today, Policy(horizon, dict(extensions)))


class Verdicts:
    """Judges identities as of one day."""

    def __init__(self, today: date, releases: Mapping[str, Release] | None = None) -> None:
        self.today = today
        self.releases = load_lifecycle().releases if releases is None else releases
        self.identities: dict[int, Identified] = {}
        """Those that were read so far, by their ids in the inventory: what stands there never changes."""
        self._policies: dict[Place, Policy] = {}
        self._found: dict[_Question, Verdict] = {}
        self._candidates: dict[tuple[str, ...], tuple[Release, ...]] = {}
        # The same by the ids of objects that come again and again; they are kept, so the ids stay theirs.
        self._judged: dict[tuple[int, int], tuple[Verdict, tuple[Release, ...], Policy]] = {}

    def candidates(self, identity: Identity) -> tuple[Release, ...]:
        """The releases of an identity; one that today's data no longer knows stands there without a date.

        Identities of the same candidates get the very same tuple.
        """
        return self.releases_of(identity.candidates)

    def releases_of(self, names: tuple[str, ...]) -> tuple[Release, ...]:
        """The same, by the ids of the releases."""
        found = self._candidates.get(names)
        if found is None:
            found = tuple(
                self.releases.get(name) or Release(name, name, name, family="", vendor="") for name in names
            )
            self._candidates[names] = found
        return found

    def of(self, candidates: tuple[Release, ...], policy: Policy) -> Verdict:
        """The verdict on a candidate set."""
        known = self._judged.get((id(candidates), id(policy)))
        if known is not None:
            return known[0]
        extensions = tuple(sorted(policy.extensions.items()))
        key = (tuple(release.id for release in candidates), policy.horizon_months, extensions)
        found = self._found.get(key)
        if found is None:
            self._found[key] = found = self._judge(candidates, key)
        if self._candidates.get(key[0]) is candidates:
            self._judged[id(candidates), id(policy)] = found, candidates, policy
        return found

    def _judge(self, candidates: tuple[Release, ...], key: _Question) -> Verdict:
        _, horizon, extensions = key
        if self.releases is load_lifecycle().releases:
            return _judged(candidates, self.today, horizon, extensions)
        return judge(candidates, self.today, Policy(horizon, dict(extensions)))

    def policy(self, settings: str, ward: str) -> Policy:
        """What a ward's site decided: its horizon, and the paid extensions that are held for this ward."""
        found = self._policies.get((settings, ward))
        if found is None:
            self._policies[settings, ward] = found = _policy(json.loads(settings), ward)
        return found


def _policy(settings: dict[str, object], ward: str) -> Policy:
    extensions: dict[str, date] = {}
    held = settings.get("esu", [])
    for esu in held if isinstance(held, list) else []:
        if not esu["wards"] or ward in esu["wards"]:
            until = date.fromisoformat(esu["until"])
            extensions[esu["release"]] = max(until, extensions.get(esu["release"], until))
    horizon = settings.get("horizon_months")
    return Policy(horizon, extensions) if isinstance(horizon, int) else Policy(extensions=extensions)
