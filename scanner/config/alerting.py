"""``[[alert]]`` and ``[[notify]]``: of what somebody is told, and by which way.

Which kinds of both there are, and which of these keys each of them takes, is known where they are carried
out (``scanner/alerts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field

from scanner.config.fields import (
    DISTINCT,
    SOME,
    Filled,
    PortNumber,
    Table,
    Variable,
    WindowText,
    matching,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import PydanticCustomError

    from scanner.config.schema import SiteFile

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
Kind: TypeAlias = Annotated[str, matching(r"[a-z][a-z-]{0,30}", "no_kind")]
MailAddress: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}", "no_mail")
]
HostName: TypeAlias = Annotated[str, matching(r"[A-Za-z0-9:][A-Za-z0-9_.:-]{0,252}", "no_host")]
LogAddress: TypeAlias = Annotated[
    str, matching(rf"(?:udp|tcp)://{_HOST}:[0-9]{{1,5}}|unix:/[^\0\n]{{1,100}}", "no_log")
]


class Alert(Table):
    """``[[alert]]``: what somebody is told of, once."""

    on: Kind
    """The kind: a module of ``scanner/alerts/rules``."""
    to: Annotated[tuple[Filled, ...], SOME, DISTINCT]
    """Names of channels."""
    system: Filled | None = None
    """Which systems, as ``count --os`` takes them."""
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    months: Annotated[int, Field(ge=1, le=120)] | None = None

    @property
    def key(self) -> str:
        """What this rule is known by: its kind and its parameters."""
        parameters = (self.system, self.days, self.months)
        return " ".join((self.on, *(str(each) for each in parameters if each is not None)))


class Notify(Table):
    """``[[notify]]``: a channel."""

    name: Filled
    kind: Kind
    """A module of ``scanner/alerts/channels``."""
    quiet: WindowText | None = None
    """When nothing is sent; what is raised meanwhile is sent afterwards."""
    host: HostName | None = None
    port: PortNumber | None = None
    tls: Literal["starttls", "tls", "none"] | None = None
    sender: Annotated[MailAddress | None, Field(alias="from")] = None
    to: Annotated[tuple[MailAddress, ...], SOME, DISTINCT] | None = None
    user_env: Variable | None = None
    """Names of environment variables, never the secrets themselves."""
    password_env: Variable | None = None
    address: LogAddress | None = None
    url_env: Variable | None = None


def alerts_astray(file: SiteFile) -> Iterator[PydanticCustomError]:
    """What is wrong between rules and channels."""
    alerts, channels = file.alerts, file.channels
    names: set[str] = set()
    for index, channel in enumerate(channels):
        if channel.name in names:
            yield wrong("channel_twice", at=("notify", index, "name"), given=channel.name)
        names.add(channel.name)
    keys: set[str] = set()
    for index, alert in enumerate(alerts):
        if alert.key in keys:
            yield wrong("alert_twice", at=("alert", index))
        keys.add(alert.key)
        for place, name in enumerate(alert.to):
            if name not in names:
                known = "\n".join(channel.name for channel in channels)
                yield wrong("unknown_channel", at=("alert", index, "to", place), given=name, known=known)
    used = {name for alert in alerts for name in alert.to}
    for index, channel in enumerate(channels):
        if channel.name not in used:
            yield wrong("channel_unused", at=("notify", index, "name"), given=channel.name)
