"""Which assets a command is about: the options of ``assets`` and ``export``, of ``count`` and ``trend``."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.cli.terminal.areas import in_area
from scanner.cli.terminal.options import rows_by, together
from scanner.cli.terminal.switches import Option
from scanner.inventory import Filters
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Callable


_STATUS: Final = click.option(
    "--status",
    cls=Option,
    type=click.Choice([each.value for each in Status]),
    help="Only machines of this status.",
)


_filters = together(
    click.option(
        "--ward", cls=Option, default="", metavar="NAME", help="Only this ward; * and ? as in a shell."
    ),
    click.option(
        "--os",
        "pattern",
        cls=Option,
        default="",
        metavar="PATTERN",
        help="Only machines that may be of this system.",
    ),
    _STATUS,
    click.option(
        "--certainty",
        cls=Option,
        type=click.Choice([each.value for each in Certainty]),
        help="Only machines known with this certainty.",
    ),
    click.option(
        "--text",
        cls=Option,
        default="",
        metavar="TEXT",
        help="Only where address, name, domain or MAC holds this.",
    ),
)


def matching(by: tuple[str, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--os --status --by``: which machines are counted, and what a row is.

    Args:
        by: what a row may be.
    """
    return together(
        click.option(
            "--os",
            "pattern",
            cls=Option,
            metavar="PATTERN",
            help='Product or release: xp, "Windows XP", "windows 10*".',
        ),
        _STATUS,
        rows_by(by),
    )


def filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--ward --os --status --certainty --text``, and those of areas; handed over as ``wanted``."""

    @wraps(function)
    def filtered(  # noqa: PLR0913 - one parameter an option
        *,
        sites: frozenset[str] | None,
        ward: str,
        pattern: str,
        status: str | None,
        certainty: str | None,
        text: str,
        **others: object,
    ) -> object:
        wanted = Filters(
            ward=ward,
            os=pattern,
            status=Status(status) if status else None,
            certainty=Certainty(certainty) if certainty else None,
            text=text,
            sites=sites,
        )
        return function(wanted=wanted, **others)

    return _filters(in_area(filtered))
