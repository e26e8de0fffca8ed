"""The sites as the centre knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.fleet.rows import SITES, signatures_json, site_of

if TYPE_CHECKING:
    from scanner.fleet.link import Link
    from scanner.fleet.model import FleetSite

_ADD: Final = """
INSERT INTO fleet.sites (key, name, text, digest, signatures, paused) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING key
"""
_UPDATE: Final = """
UPDATE fleet.sites SET name = %s, text = %s, digest = %s, signatures = %s, changed = now()
WHERE key = %s RETURNING key
"""
_UNDONE: Final = """
SELECT (SELECT count(*) FROM fleet.runs WHERE site = %s AND state IN ('queued', 'running', 'paused'))
     + (SELECT count(*) FROM fleet.deliveries WHERE site = %s AND taken IS NULL)
"""
_FORGET: Final = (
    "DELETE FROM jobs.procrastinate_jobs WHERE queue_name = %s",
    "DELETE FROM jobs.procrastinate_workers WHERE site = %s",
    "DELETE FROM fleet.runs WHERE site = %s",
    "DELETE FROM fleet.plans WHERE site = %s",
    "DELETE FROM fleet.sites WHERE key = %s",
)


@dataclass(frozen=True, slots=True)
class Sites:
    """Rows of ``fleet.sites``; the role of a site is made by :mod:`scanner.fleet.roles`."""

    link: Link

    def add(self, site: FleetSite, name: str) -> None:
        """Keep a new site, whose file calls it by a name.

        Raises:
            ConfigError: its key is taken, or its name.
        """
        self._demand_own(name, site.key)
        signatures = signatures_json(site.signatures)
        if not self.link.rows(_ADD, (site.key, name, site.text, site.digest, signatures, site.paused)):
            raise ConfigError("the site {site} is there already: vetuste fleet site update", site=site.key)

    def update(self, site: FleetSite, name: str) -> None:
        """Replace its site file and signatures; whether it is paused stays as it is.

        Raises:
            ConfigError: there is no such site, or another has that name.
        """
        self._demand_own(name, site.key)
        signatures = signatures_json(site.signatures)
        _demand(self.link.rows(_UPDATE, (name, site.text, site.digest, signatures, site.key)), site.key)

    def one(self, key: str) -> FleetSite:
        """A site.

        Raises:
            ConfigError: there is no such site.
        """
        return site_of(_demand(self.link.rows(SITES + " WHERE key = %s", (key,)), key))

    def all(self) -> tuple[FleetSite, ...]:
        """Every site, by key."""
        return tuple(map(site_of, self.link.rows(SITES + " ORDER BY key")))

    def set_paused(self, key: str, *, paused: bool) -> None:
        """Let nothing be sent there, or again.

        Raises:
            ConfigError: there is no such site.
        """
        sql = "UPDATE fleet.sites SET paused = %s WHERE key = %s RETURNING key"
        _demand(self.link.rows(sql, (paused, key)), key)

    def remove(self, key: str) -> None:
        """Forget a site, its plans, its runs and its jobs; what they learnt stays in the inventory.

        Raises:
            ConfigError: there is no such site, or something of it is not done yet.
        """
        with self.link.transaction():
            _demand(self.link.rows(SITES + " WHERE key = %s FOR UPDATE", (key,)), key)
            if self.link.rows(_UNDONE, (key, key))[0][0]:
                raise ConfigError(
                    "the site {site} has runs that are not done, or deliveries that are not recorded: "
                    "cancel those, let vetuste fleet run record these",
                    site=key,
                )
            for statement in _FORGET:
                self.link.rows(statement, (key,))

    def _demand_own(self, name: str, key: str) -> None:
        for (other,) in self.link.rows(
            "SELECT key FROM fleet.sites WHERE name = %s AND key <> %s", (name, key)
        ):
            raise ConfigError(
                "the file of the site {site} has the name {name} too, and machines are known by it: "
                "give this one another",
                site=other,
                name=name,
            )


def _demand(found: list[tuple[Any, ...]], key: str) -> tuple[Any, ...]:
    if not found:
        raise ConfigError("there is no site {site}: vetuste fleet site list", site=key)
    return found[0]
