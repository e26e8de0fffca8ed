"""What somebody must act on, and what became of it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)


def upgrade() -> None:
    """Add the tables; findings come with the next settling."""
    _findings()
    op.create_table(
        "finding_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("finding_id", sa.Integer, sa.ForeignKey("findings.id"), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        *_texts("author", "before", "after", "reason", "note"),
    )
    op.create_index(op.f("ix_finding_changes_finding_id"), "finding_changes", ["finding_id"])
    settlements = op.create_table(
        "settlements",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("day", sa.Date),
        *_texts("terms"),
        sa.Column("observation", sa.Integer, nullable=False),
    )
    op.bulk_insert(settlements, [{"id": 1, "terms": "", "observation": 0}])


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asset_id", sa.Integer, sa.ForeignKey("assets.id"), nullable=False),
        *_texts("cause", "state", "owner"),
        sa.Column("due", sa.Date),
        sa.Column("until", sa.Date),
        *_texts("measure", "isolated_in"),
        sa.Column("known_scan", sa.Integer, nullable=False),
        sa.Column("opened", _TIME, nullable=False),
        sa.Column("changed", _TIME, nullable=False),
        sa.UniqueConstraint("asset_id", "cause", name=op.f("uq_findings_asset_id_cause")),
        sa.CheckConstraint(
            "state IN ('open', 'planned', 'isolated', 'replaced', 'waived', 'closed')",
            name=op.f("ck_findings_state"),
        ),
    )
    op.create_index(op.f("ix_findings_state_due"), "findings", ["state", "due"])
