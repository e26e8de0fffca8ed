"""What all tables have in common: names of constraints, and moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import MetaData, String, TypeDecorator

from scanner.inventory.utc import moment, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Dialect


class UtcTime(TypeDecorator["datetime"]):
    """An aware moment, stored in UTC as text; a naive one is refused."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """To the database."""
        return None if value is None else stamp(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """From the database."""
        return None if value is None else moment(value)


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
