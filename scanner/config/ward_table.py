"""A ward by itself: checked as in a site file, and written as one of its tables.

Importing this imports pydantic.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scanner.config.complaints import first_complaint
from scanner.config.schema import Ward
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def ward_of(values: Mapping[str, Any]) -> Ward:
    """A ward of the values that its table would have.

    Raises:
        ConfigError: they say something wrong; names the key.
    """
    try:
        return Ward.model_validate(dict(values))
    except ValidationError as error:
        key, message = first_complaint(error)
        raise ConfigError(message.text, file=None, line=None, key=key, **message.values) from error


def ward_table(ward: Ward) -> str:
    """The ``[[ward]]`` table of a ward in a site file; what goes without saying is left out."""
    values = ward.model_dump(exclude_defaults=True)
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    return "\n".join(["[[ward]]", *lines, ""])


def _toml(value: object) -> str:
    """Text, whole numbers and lists of text: JSON writes them as TOML does."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
