"""What is said of heads: on standard error, beside every export."""

from __future__ import annotations

from scanner.cli.terminal.output import tell


def tell_head(found: tuple[str, str] | None) -> None:
    """Tell name and head of the campaign that was closed last, where one was."""
    if found is not None:
        name, head = found
        tell("The last campaign that was sealed here is {name}; its head is {head}", name=name, head=head)
