"""Names of machines, where a client says one of its own accord."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,14}")


def machine(said: str) -> str:
    """A name as Windows gives it to programs: NetBIOS, in capitals; nothing where it may be any other word.

    Programs may put there what they like, and on other systems it is a host's name, which may be cut.
    """
    return said if _NAME.fullmatch(said) and not said.isdigit() else ""
