"""A mail server as hospitals have them: it takes, keeps and refuses by its own rules."""

from __future__ import annotations

import getpass
import grp
import os
import re
from typing import TYPE_CHECKING

import pytest

from scanner.alerts import sending
from scanner.alerts.model import Outcome
from tests.alerts.sites import NOW, mail, raise_alarms, read, rule
from tests.integration.peers_text import inetd
from tests.integration.peers_tls_rdp import Certificate

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.inventory import Inventory

EXIM = """
exim_path = /usr/sbin/exim4
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = {user}
exim_group = {group}
primary_hostname = mail.ward.example
keep_environment =
queue_only = true
tls_advertise_hosts = *
tls_certificate = {certificate.file}
tls_privatekey = {certificate.key}
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
  {recipient} domains = chu.example
  deny
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{robot}}}}{{eq{{$auth3}}{{right}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


@pytest.mark.parametrize(
    ("password", "recipient", "outcome"),
    [
        ("right", "accept", Outcome.SENT),
        ("wrong", "accept", Outcome.FAILED),
        ("right", "deny", Outcome.FAILED),
    ],
)
def test_exim_takes_a_letter_under_tls_from_whom_it_knows(  # noqa: PLR0913, PLR0917 - fixtures
    inventory: Inventory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    recipient: str,
    outcome: Outcome,
) -> None:
    made = Certificate.made(tmp_path, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30")
    configuration = tmp_path / "exim.conf"
    us = {"user": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
    configuration.write_text(EXIM.format(folder=tmp_path, certificate=made, recipient=recipient, **us))
    for name, value in (
        ("SSL_CERT_FILE", str(made.file)),
        ("MAIL_USER", "robot"),
        ("MAIL_PASSWORD", password),
    ):
        monkeypatch.setenv(name, value)
    raise_alarms(inventory, ["Réanimation\r\nBcc: nobody@elsewhere.example"])
    with inetd("/usr/sbin/exim4", "-C", str(configuration), "-bs") as port:
        more = ('user_env = "MAIL_USER"', 'password_env = "MAIL_PASSWORD"')
        source = read(tmp_path, rule(), mail(port, *more, tls="starttls"))
        (result,) = sending._deliver(inventory, source.file, NOW)
    assert result.outcome is outcome, result.why
    kept = list(tmp_path.glob("spool/input/**/*-H"))
    assert len(kept) == (outcome is Outcome.SENT)
    for head in kept:
        text = head.read_text()
        assert re.search(r"^\d{3}T To: dsi@chu\.example$", text, re.MULTILINE)
        assert "nobody@elsewhere.example" not in text.partition("\n\n")[0]
