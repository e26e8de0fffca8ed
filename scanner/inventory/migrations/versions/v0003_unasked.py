"""Why a probe was not held with a machine."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the table of reasons, and to each asset those of its last scan."""
    op.create_table(
        "unasked",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.UniqueConstraint("reasons", name=op.f("uq_unasked_reasons")),
    )
    with op.batch_alter_table("assets") as assets:
        assets.add_column(sa.Column("unasked_id", sa.Integer))
        assets.create_foreign_key(op.f("fk_assets_unasked_id_unasked"), "unasked", ["unasked_id"], ["id"])


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
