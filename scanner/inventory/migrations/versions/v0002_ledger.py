"""What was sent, what is done, what fell: the ledger, visits, breakers; scans that can be resumed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None

_TIME: Final = sa.String(27)


def upgrade() -> None:
    """Add tables, and move what coverage held of the latest scans to visits."""
    _scans()
    _visits()
    _ledger()
    _breakers()


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _to(table: str, name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False, primary_key=key)


def _scans() -> None:
    states = "state IN ('running', 'done', 'interrupted', 'failed', 'killed')"
    with op.batch_alter_table("scans") as scans:
        scans.drop_constraint(op.f("ck_scans_state"), type_="check")
        scans.create_check_constraint(op.f("ck_scans_state"), states)
        for name, nothing in (("request", "{}"), ("digest", ""), ("spans", "[]")):
            scans.add_column(sa.Column(name, sa.Text, nullable=False, server_default=nothing))


def _visits() -> None:
    op.create_table(
        "visits",
        _to("scans", "scan_id", key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("block", sa.LargeBinary, primary_key=True),
        sa.Column("addresses", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO visits SELECT scan_id, version, block, latest FROM coverage")
    whole = {"sqlite_with_rowid": False}
    with op.batch_alter_table("coverage", table_kwargs=whole) as coverage:
        coverage.drop_column("latest")
        coverage.drop_column("scan_id")


def _ledger() -> None:
    kinds = ("probe", "transport", "port", "service", "outcome")
    op.create_table(
        "ledger_kinds",
        sa.Column("id", sa.Integer, primary_key=True),
        *_texts("probe", "transport"),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("port", "service")),
        *_texts("outcome"),
        sa.UniqueConstraint(*kinds, name=op.f("uq_ledger_kinds_" + "_".join(kinds))),
    )
    op.create_table(
        "ledger",
        _to("scans", "scan_id", key=True),
        sa.Column("address", sa.LargeBinary, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("at", sa.Integer, nullable=False),
        _to("ledger_kinds", "kind_id"),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("sent", "received")),
        sqlite_with_rowid=False,
    )


def _breakers() -> None:
    op.create_table(
        "breakers",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("sites", "site_id"),
        *_texts("ward", "subnet"),
        sa.Column("at", _TIME, nullable=False),
        *_texts("cause", "fallen"),
        _to("scans", "scan_id"),
        sa.Column("cleared", _TIME),
    )
