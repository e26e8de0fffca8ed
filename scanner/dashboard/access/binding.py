"""Where the dashboard may be heard: beyond this machine only behind TLS, and only for known people."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from scanner.dashboard.access.rules import LOOPBACK_NAMES
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Binding:
    """Where it is to be heard, and what stands before it."""

    host: str
    tls: bool
    proxy: bool
    tokens: bool
    names: Collection[str] = ()
    """What else it is called (``--public-name``)."""

    @property
    def beyond(self) -> bool:
        """Whether other machines can reach it."""
        return self.host != "localhost" and not ip_address(self.host).is_loopback

    def check(self) -> None:
        """Refuse what would show a hospital's weak places to everybody in it.

        Raises:
            ConfigError: it must not be bound so.
        """
        try:
            everywhere = self.host != "localhost" and ip_address(self.host).is_unspecified
        except ValueError as error:
            raise ConfigError("--host is an address of this machine, or localhost") from error
        if not self.beyond:
            return
        if not (self.tls or self.proxy):
            raise ConfigError(
                "beyond this machine only with TLS (--tls-cert, --tls-key) or behind a proxy (--trust-proxy)"
            )
        if not (self.tokens or self.proxy):
            raise ConfigError(
                "beyond this machine only with tokens (vetuste serve token) or behind a proxy (--trust-proxy)"
            )
        if everywhere and not self.names:
            raise ConfigError("on every address: say with --public-name what browsers call this machine")

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which it may be asked for."""
        own = set() if self.beyond and ip_address(self.host).is_unspecified else {self.host}
        return frozenset({*LOOPBACK_NAMES, *own, *(name.lower() for name in self.names)})
