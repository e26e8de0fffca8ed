"""Who may come in, what they may ask for, and what every answer must carry.

A request goes through, from the outside: :mod:`answers` (headers of every answer, errors included),
:mod:`gate` (is the request one of ours, who asks, in which language), the router, and :mod:`guard` (may
they ask for this page; is a change really meant by them). Nobody is let in unless :class:`Access` says so.
"""

from __future__ import annotations

from scanner.dashboard.access.audit_log import AuditLog, note
from scanner.dashboard.access.proxy import Proxy
from scanner.dashboard.access.register import Register
from scanner.dashboard.access.rules import Access

__all__ = ["Access", "AuditLog", "Proxy", "Register", "note"]
