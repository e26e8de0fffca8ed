"""Addresses that something else answers for."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table of phantoms."""
    op.create_table(
        "phantoms",
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("block", sa.LargeBinary, nullable=False),
        sa.Column("scan_id", sa.Integer, nullable=False),
        sa.Column("addresses", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "block", name=op.f("pk_phantoms")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_phantoms_site_id_sites")),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_phantoms_scan_id_scans")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
