"""Records of other registers: what a directory or an asset manager says that there is."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from scanner.inventory.tables.metadata import METADATA, UtcTime

# A machine as a register has it: a source of its own. Nothing of it names a person.
RECORDS: Final = Table(
    "records",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("register", Text, nullable=False),
    Column("own_id", Text, nullable=False),  # what the register knows it by
    Column("name", Text, nullable=False),
    Column("fqdn", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("macs", Text, nullable=False),  # JSON
    Column("addresses", Text, nullable=False),  # JSON
    Column("enabled", Integer),  # 0 or 1; NULL: not said
    Column("managed", Integer),  # by an agent on the machine
    Column("contact", UtcTime),  # when the machine itself last spoke to the register
    Column("facts", Text, nullable=False),  # JSON: what else it says of the device
    Column("first_seen", UtcTime, nullable=False),  # in the register: by an import
    Column("last_seen", UtcTime, nullable=False),
    Column("scan_id", ForeignKey("scans.id"), nullable=False),  # the last import that had it
    Column("gone", UtcTime),  # a whole file did not have it any more
    Column("asset_id", ForeignKey("assets.id")),
    Column("matching", Text, nullable=False),  # JSON: [[text, {name: value}]], why it is that asset, or none
    UniqueConstraint("site_id", "register", "own_id"),
    Index(None, "asset_id"),
)
