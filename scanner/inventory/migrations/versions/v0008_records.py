"""What other registers say that there is."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)
_TEXTS: Final = ("register", "own_id", "name", "fqdn", "domain", "system", "version", "serial", "macs")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "records",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("sites", "site_id"),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*_TEXTS, "addresses")),
        *(sa.Column(name, sa.Integer) for name in ("enabled", "managed")),
        sa.Column("contact", _TIME),
        sa.Column("facts", sa.Text, nullable=False),
        *(sa.Column(name, _TIME, nullable=False) for name in ("first_seen", "last_seen")),
        _to("scans", "scan_id"),
        sa.Column("gone", _TIME),
        _to("assets", "asset_id", null=True),
        sa.Column("matching", sa.Text, nullable=False),
        sa.UniqueConstraint("site_id", "register", "own_id"),
    )
    op.create_index(op.f("ix_records_asset_id"), "records", ["asset_id"])


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _to(table: str, name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=null)
