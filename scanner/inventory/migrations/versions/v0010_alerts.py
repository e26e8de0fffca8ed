"""What somebody is to be told, and who was told."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)


def upgrade() -> None:
    """Add the tables; every rule is judged for the first time after this."""
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("site", "rule", "subject", "told", "ward", "address"),
        sa.Column("raised", _TIME, nullable=False),
        sa.Column("cleared", _TIME),
    )
    op.create_index(op.f("ix_alarms_site_rule_cleared"), "alarms", ["site", "rule", "cleared"])
    op.create_table(
        "alarm_deliveries",
        sa.Column("alarm_id", sa.Integer, sa.ForeignKey("alarms.id"), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("sent", _TIME),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried", _TIME),
        *_texts("why"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_alarm_deliveries_channel_sent"), "alarm_deliveries", ["channel", "sent"])
    op.create_table(
        "alert_rules",
        sa.Column("site", sa.Text, primary_key=True),
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("since", _TIME, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
