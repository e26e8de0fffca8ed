"""Mail, to the one server that the site file names (RFC 5321, RFC 5322; ``Auto-Submitted`` RFC 3834)."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from scanner.alerts.channels import PATIENCE, reason, secret
from scanner.alerts.model import Channel, DeliveryError
from scanner.errors import ConfigError
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from scanner.alerts.model import Letter
    from scanner.config import Notify

_SAYS: Final = {
    smtplib.SMTPNotSupportedError: Message("the server has no STARTTLS, or takes no password"),
    smtplib.SMTPServerDisconnected: Message("the server closed the connection"),
}
_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


def _send(notify: Notify, letter: Letter) -> None:
    message = _message(notify, letter)
    user, password = (secret(name) if name else "" for name in (notify.user_env, notify.password_env))
    try:
        server = _connected(notify)
        try:
            if user:
                _log_in(server, user, password)
            server.send_message(message, notify.sender, list(notify.to or ()))
            with suppress(OSError):  # it has the mail, however it takes leave
                server.quit()
        finally:
            server.close()
    except OSError as error:  # those of smtplib are of these
        raise _fault(error, user, password) from None


def _fault(error: OSError, *secrets: str) -> DeliveryError:
    """What went wrong, in words that repeat nothing secret."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return DeliveryError("the server said nothing for {seconds} s", seconds=int(PATIENCE))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _ = next(iter(error.recipients.values()))
        return DeliveryError("the server takes mail for none of the recipients ({code})", code=code)
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        told = printable(text if isinstance(text, str) else text.decode("ascii", "replace"), 120)
        return DeliveryError(
            "the server refused: {code} {said}", code=error.smtp_code, said=_without(told, *secrets)
        )
    if isinstance(error, ssl.SSLError):
        return DeliveryError("TLS failed: {why}", why=error.reason or "-")
    for kind, says in _SAYS.items():
        if isinstance(error, kind):
            return DeliveryError(says.text)
    return DeliveryError("the server cannot be reached: {why}", why=reason(error))


def _connected(notify: Notify) -> smtplib.SMTP:
    host, tls = notify.host or "", notify.tls or "starttls"
    port = notify.port or _PORTS[tls]
    context = ssl.create_default_context()
    name = socket.gethostname()  # smtplib would look this machine up in the DNS
    if tls == "tls":
        return smtplib.SMTP_SSL(host, port, name, timeout=PATIENCE, context=context)
    server = smtplib.SMTP(host, port, name, timeout=PATIENCE)
    if tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    try:
        server.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        # What the server says of it may repeat what was sent.
        raise DeliveryError("the server refused user and password ({code})", code=error.smtp_code) from None
    except UnicodeError:
        raise DeliveryError("user and password must be ASCII") from None


def _message(notify: Notify, letter: Letter) -> EmailMessage:
    message = EmailMessage(SMTP)
    sender = notify.sender or ""
    message["From"], message["To"] = sender, ", ".join(notify.to or ())
    message["Subject"], message["Date"] = letter.subject, format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body, cte="quoted-printable")
    return message


def _without(text: str, *secrets: str) -> str:
    for each in filter(None, secrets):
        text = text.replace(each, "…")
    return text


def _check(notify: Notify) -> None:
    if (notify.user_env is None) != (notify.password_env is None):
        raise ConfigError("goes with password_env, and password_env with it", key="user_env")
    if notify.user_env is not None and notify.tls == "none":
        raise ConfigError('a password is not sent in the clear: write "starttls" or "tls"', key="tls")


CHANNEL: Final = Channel(
    "mail",
    needs=frozenset({"host", "from", "to"}),
    may=frozenset({"port", "tls", "user_env", "password_env"}),
    send=_send,
    check=_check,
    variables=("user_env", "password_env"),
)
