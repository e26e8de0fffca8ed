"""The first schema: sites, scans, assets, what was observed of them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)


def upgrade() -> None:
    """Make every table."""
    _places()
    _scans()
    _assets()
    _observations()


def downgrade() -> None:
    """There is nothing before the first schema.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _to(table: str, name: str, *, null: bool = False, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=null, primary_key=key)


def _places() -> None:
    op.create_table(
        "sites",
        _key(),
        *_texts("name", "finess", "group", "establishment", "settings"),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_table(
        "wards",
        _key(),
        _to("sites", "site_id"),
        *_texts("name", "building", "floor", "unit", "owner", "vlan", "criticality"),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_wards_site_id_name")),
    )
    op.create_table(
        "subnets",
        _to("wards", "ward_id", key=True),
        sa.Column("network", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )


def _scans() -> None:
    op.create_table(
        "scans",
        _key(),
        _to("sites", "site_id"),
        sa.Column("started", _TIME, nullable=False),
        sa.Column("ended", _TIME),
        *_texts("state", "profile", "scope", "versions", "counts"),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'interrupted', 'failed')", name=op.f("ck_scans_state")
        ),
    )
    op.create_table(
        "coverage",
        _to("sites", "site_id", key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("block", sa.LargeBinary, primary_key=True),
        sa.Column("ever", sa.LargeBinary, nullable=False),
        sa.Column("latest", sa.LargeBinary, nullable=False),
        _to("scans", "scan_id"),
        sqlite_with_rowid=False,
    )


def _assets() -> None:
    op.create_table(
        "identities",
        _key(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        *_texts("candidates", "certainty", "reasons", "attributes", "data_version"),
        sa.UniqueConstraint("digest", name=op.f("uq_identities_digest")),
    )
    op.create_table(
        "assets",
        _key(),
        _to("sites", "site_id"),
        _to("wards", "ward_id", null=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        *_texts("name", "fqdn", "domain", "mac"),
        _to("identities", "identity_id"),
        _to("scans", "identity_scan_id", null=True),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        _to("scans", "last_scan_id"),
        sa.UniqueConstraint("site_id", "address", name=op.f("uq_assets_site_id_address")),
    )
    op.create_index(
        op.f("ix_assets_site_id_ward_id_identity_id"), "assets", ["site_id", "ward_id", "identity_id"]
    )


def _observations() -> None:
    op.create_table(
        "observations",
        _key(),
        _to("scans", "scan_id"),
        _to("assets", "asset_id"),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("transport", sa.Text, nullable=False),
        sa.Column("service", sa.Integer, nullable=False),
        sa.Column("probe", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *_texts("outcome", "detail"),
        sa.Column("connections", sa.Integer, nullable=False),
        sa.Column("raw", sa.LargeBinary),
    )
    op.create_index(op.f("ix_observations_asset_id_scan_id"), "observations", ["asset_id", "scan_id"])
    op.create_table(
        "evidence_keys", _key(), *_texts("key"), sa.UniqueConstraint("key", name=op.f("uq_evidence_keys_key"))
    )
    op.create_table(
        "evidence",
        _to("observations", "observation_id", key=True),
        _to("evidence_keys", "key_id", key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
