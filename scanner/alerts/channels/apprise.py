"""Whatever apprise knows (Teams, Matrix, a web hook…), by a URL in the environment: it holds secrets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from scanner.alerts.channels import secret
from scanner.alerts.model import Channel, DeliveryError

if TYPE_CHECKING:
    from scanner.alerts.model import Letter
    from scanner.config import Notify


def _send(notify: Notify, letter: Letter) -> None:
    url = secret(notify.url_env or "")
    try:
        import apprise  # noqa: PLC0415 - an extra, and only where it is asked for
    except ImportError:
        raise DeliveryError('apprise is not installed: pip install "vetuste[notify]"') from None
    for name in ("apprise", "urllib3"):  # they tell of URLs
        log = logging.getLogger(name)
        log.handlers, log.propagate = [logging.NullHandler()], False
    sender = apprise.Apprise()
    if not sender.add(url):
        raise DeliveryError("what {name} holds is no URL that apprise knows", name=notify.url_env)
    try:
        taken = sender.notify(title=letter.subject, body=letter.body, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 - any of a hundred plug-ins
        raise DeliveryError("apprise failed: {why}", why=type(error).__name__) from None
    if not taken:
        raise DeliveryError("the receiver did not take it, or cannot be reached")


CHANNEL: Final = Channel(
    "apprise", needs=frozenset({"url_env"}), may=frozenset(), send=_send, variables=("url_env",)
)
