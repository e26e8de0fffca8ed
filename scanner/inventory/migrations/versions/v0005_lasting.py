"""One machine stays one machine: where assets were seen, what they are known by, why they were joined."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)

_SIGHTS: Final = """
INSERT INTO sights (scan_id, asset_id, packed, at, ward_id, identity_id)
SELECT observations.scan_id, assets.id, assets.packed, max(observations.at),
       assets.ward_id, assets.identity_id
FROM observations JOIN assets ON assets.id = observations.asset_id
GROUP BY observations.scan_id, assets.id, assets.packed, assets.ward_id, assets.identity_id
"""
"""What an older program kept: one address an asset, and of its identities only the last."""


def upgrade() -> None:
    """Add the tables; an address may have had several assets, one after the other."""
    with op.batch_alter_table("assets") as assets:
        assets.drop_constraint(op.f("uq_assets_site_id_address"), type_="unique")
        assets.create_index(op.f("ix_assets_site_id_address"), ["site_id", "address"])
    _sights()
    _traits()
    _ties()


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _to(table: str, name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=null, primary_key=key)


def _sights() -> None:
    op.create_table(
        "sights",
        _to("scans", "scan_id", key=True),
        _to("assets", "asset_id", key=True),
        sa.Column("packed", sa.LargeBinary, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        _to("wards", "ward_id", null=True),
        _to("identities", "identity_id"),
        sa.Column("how", sa.Text, nullable=False, server_default=""),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sights_asset_id_scan_id"), "sights", ["asset_id", "scan_id"])
    op.execute(_SIGHTS)


def _traits() -> None:
    op.create_table(
        "traits",
        _to("sites", "site_id", key=True),
        _to("evidence_keys", "key_id", key=True),
        sa.Column("value", sa.Text, primary_key=True),
        _to("assets", "asset_id", key=True),
        sa.Column("first", _TIME, nullable=False),
        sa.Column("last", _TIME, nullable=False),
        _to("scans", "scan_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_traits_asset_id"), "traits", ["asset_id"])


def _ties() -> None:
    op.create_table(
        "ties",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        _to("assets", "asset_id"),
        sa.Column("other_id", sa.Integer),
        sa.Column("at", _TIME, nullable=False),
        _to("scans", "scan_id", null=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "how", "moved")),
        sa.Column("undone", _TIME),
        sa.CheckConstraint("kind IN ('merged', 'split')", name=op.f("ck_ties_kind")),
    )
    for column in ("asset_id", "other_id"):
        op.create_index(op.f(f"ix_ties_{column}"), "ties", [column])
