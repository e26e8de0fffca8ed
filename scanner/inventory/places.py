"""The site file in the inventory: sites, wards, subnets, and the settings that judging needs later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from scanner.inventory.tables import SITES, SUBNETS, WARDS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.config import SiteFile, Ward


def keep_site(connection: Connection, site: SiteFile | None) -> tuple[int, dict[str, int]]:
    """Write a site as its file says it today; gives its id, and the ids of all its wards by name.

    A ward that the file no longer names stays (its machines were seen there) and loses its subnets. Without
    a site file everything belongs to the site whose name is empty.
    """
    columns = _columns(site)
    site_id = connection.scalar(select(SITES.c.id).where(SITES.c.name == columns["name"]))
    if site_id is None:
        site_id = connection.scalar(insert(SITES).values(columns).returning(SITES.c.id))
    else:
        connection.execute(update(SITES).where(SITES.c.id == site_id).values(columns))
    theirs = connection.execute(select(WARDS.c.name, WARDS.c.id).where(WARDS.c.site_id == site_id))
    known = {row.name: row.id for row in theirs}
    if site is not None:
        connection.execute(delete(SUBNETS).where(SUBNETS.c.ward_id.in_(list(known.values()))))
        for ward in site.wards:
            known[ward.name] = _keep_ward(connection, site_id, ward, known.get(ward.name))
    return site_id, known


def new_ward(connection: Connection, site_id: int, name: str) -> int:
    """A ward of which nothing but the name is known; gives its id."""
    unknown = dict.fromkeys(("building", "floor", "unit", "owner", "vlan"), "")
    ward_id: int = connection.execute(
        insert(WARDS)
        .values(site_id=site_id, name=name, criticality="normal", **unknown)
        .returning(WARDS.c.id)
    ).scalar_one()
    return ward_id


def _columns(site: SiteFile | None) -> dict[str, str]:
    if site is None:
        return {"name": "", "finess": "", "group": "", "establishment": "", "settings": "{}"}
    settings = {
        "horizon_months": site.site.horizon_months,
        "late_after_hours": site.health.late_after_hours,
        "esu": [
            {"release": esu.release, "until": esu.until.isoformat(), "wards": list(esu.wards)}
            for esu in site.esu
        ],
    }
    return {
        "name": site.site.name,
        "finess": site.site.finess,
        "group": site.site.group,
        "establishment": site.site.establishment,
        "settings": json.dumps(settings, ensure_ascii=False),
    }


def _keep_ward(connection: Connection, site_id: int, ward: Ward, ward_id: int | None) -> int:
    if ward_id is None:
        ward_id = new_ward(connection, site_id, ward.name)
    connection.execute(
        update(WARDS)
        .where(WARDS.c.id == ward_id)
        .values(
            building=ward.building,
            floor=ward.floor,
            unit=ward.unit,
            owner=ward.owner,
            vlan="" if ward.vlan is None else str(ward.vlan),
            criticality=ward.criticality,
        )
    )
    connection.execute(
        insert(SUBNETS), [{"ward_id": ward_id, "network": network} for network in dict.fromkeys(ward.subnets)]
    )
    return ward_id
