"""Scans that are sealed for an audit."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("sites.id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "wards", "spans")),
        *(sa.Column(name, _TIME, nullable=False) for name in ("since", "opened")),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("closed", _TIME),
        sa.Column("closed_by", sa.Text),
        sa.Column("place", sa.Integer),
        sa.Column("manifest", sa.Text),
        sa.Column("head", sa.Text),
        sa.Column("exported", _TIME),
        *(sa.UniqueConstraint(name, name=op.f(f"uq_campaigns_{name}")) for name in ("name", "place")),
    )
    op.create_table(
        "campaign_scans",
        *(
            sa.Column(f"{name}_id", sa.Integer, sa.ForeignKey(f"{name}s.id"), primary_key=True)
            for name in ("campaign", "scan")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
