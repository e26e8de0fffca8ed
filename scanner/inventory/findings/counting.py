"""How many findings each ward has in each state. Plain SQL, as for counting machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.inventory.database import asking

if TYPE_CHECKING:
    from scanner.inventory.store import Inventory

_COUNTED: Final = """
  SELECT sites.name, coalesce(wards.name, ''), state, number
  FROM (
    SELECT site_id, ward_id, state, count(*) AS number
    FROM findings JOIN assets ON assets.id = asset_id WHERE state <> 'closed' GROUP BY 1, 2, 3
  ) AS counted
  JOIN sites ON sites.id = counted.site_id LEFT JOIN wards ON wards.id = ward_id
"""


def findings_counted(inventory: Inventory) -> list[tuple[str, str, str, int]]:
    """Site, ward (outside every ward: empty), state, number; of those that are not closed.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with asking(inventory.database) as connection:
        rows = connection.execute(_COUNTED).fetchall()
    return [(site, ward, state, int(number)) for site, ward, state, number in rows]
