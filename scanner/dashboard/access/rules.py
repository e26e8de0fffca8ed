"""The rules of one dashboard: who is let in, under which names it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.dashboard.access.attempts import Attempts
from scanner.dashboard.access.audit_log import AuditLog
from scanner.dashboard.access.forgery import Forgery
from scanner.dashboard.access.sessions import Sessions

if TYPE_CHECKING:
    from scanner.dashboard.access.proxy import Proxy
    from scanner.dashboard.access.register import Register
    from scanner.dashboard.visitor import Visitor

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(slots=True)
class Access:
    """What is demanded of each request; as it stands, nobody is let in."""

    hosts: frozenset[str] = LOOPBACK_NAMES
    """The names and addresses that this dashboard may be asked for as."""
    local: Visitor | None = None
    """Who everybody is: only on loopback, where there are neither tokens nor a proxy."""
    register: Register | None = None
    proxy: Proxy | None = None
    proxy_only: bool = False
    """Nobody else is answered: there is no TLS of ours, and others can reach us."""
    tls: bool = False
    audit: AuditLog = field(default_factory=AuditLog)
    sessions: Sessions = field(default_factory=Sessions)
    attempts: Attempts = field(default_factory=Attempts)
    forgery: Forgery = field(default_factory=Forgery)

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS, with us or with the proxy."""
        return self.tls or self.proxy is not None
