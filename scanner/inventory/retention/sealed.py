"""Scans of which nothing may go, whatever their age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.inventory.campaigns.reading import sealed_scans

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def kept_scans(connection: Connection) -> frozenset[int]:
    """The ids of the scans of which everything stays.

    Those of campaigns that are sealed and whose bundle nobody has exported yet: an auditor could no longer
    compare what was sealed with anything. It is asked again in every transaction that deletes.
    """
    return frozenset(scan for scan, exported in sealed_scans(connection).items() if not exported)
