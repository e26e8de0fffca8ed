"""Alerts: rules of the site file that find something, and channels that tell somebody, once (docs/alerts.md).

A rule finds everything that is so now; what is new of it is an alarm. Alarms are kept in the inventory, with
what became of each at each channel. ::

    alerts.send(inventory, source, now)   # after every scan, and as often as one likes besides
"""

from __future__ import annotations

from scanner.alerts.checking import check
from scanner.alerts.model import Result, Summary
from scanner.alerts.sending import evaluate, send, try_channels

__all__ = ["Result", "Summary", "check", "evaluate", "send", "try_channels"]
