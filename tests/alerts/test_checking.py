from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.alerts import check
from scanner.alerts.checking import unset_variables
from scanner.cli.checkup import State, installation
from scanner.cli.terminal.options import Where
from scanner.errors import ConfigError
from tests.alerts.sites import HOOK, mail, read, rule, syslog
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

MAIL = mail(25)
MISTAKES = [
    (
        rule("new-unsuported"),
        MAIL,
        ":29: alert[1].on: 'new-unsuported' is no such kind; there are: breaker, ",
    ),
    (rule("in-new-ward"), MAIL, ":28: alert[1].system: is missing"),
    (rule("support-ends", days=3), MAIL, ":28: alert[1].months: is missing"),
    (rule("breaker", days=3), MAIL, ":31: alert[1].days: means nothing for this kind, which takes: -"),
    (rule("in-new-ward", system="Windoze"), MAIL, ":31: alert[1].system: no system is called 'Windoze'"),
    (
        rule(),
        MAIL.replace('"mail"', '"fax"'),
        ":34: notify[1].kind: 'fax' is no such kind; there are: apprise, ",
    ),
    (rule(), MAIL.replace("host", "#"), ":32: notify[1].host: is missing"),
    (rule(), MAIL.replace("from", "#"), ":32: notify[1].from: is missing"),
    (rule(), MAIL + 'url_env = "X"\n', ":40: notify[1].url_env: means nothing for this kind, which takes: "),
    (rule(), MAIL + 'user_env = "X"\n', ":40: notify[1].user_env: goes with password_env"),
    (
        rule(),
        MAIL + 'user_env = "X"\npassword_env = "Y"\n',
        ':37: notify[1].tls: a password is not sent in the clear: write "starttls" or "tls"',
    ),
    (
        rule("breaker", ["siem"]),
        syslog("tcp://h:99999"),
        ":35: notify[1].address: ends in no port: 1 to 65535",
    ),
    (rule("breaker", ["hook"]), HOOK.replace("url_env", "#"), ":32: notify[1].url_env: is missing"),
]


@pytest.mark.parametrize(("alert", "notify", "says"), MISTAKES, ids=[said for _, _, said in MISTAKES])
def test_a_mistake_is_one_line_that_names_line_and_key(
    tmp_path: Path, alert: str, notify: str, says: str
) -> None:
    source = read(tmp_path, alert, notify)
    with pytest.raises(ConfigError) as caught:
        check(source)
    assert str(caught.value).startswith(f"{source.path}{says}")


def test_it_is_said_by_every_command_that_reads_the_site_file(tmp_path: Path) -> None:
    alert, notify, says = MISTAKES[0]
    read(tmp_path, alert, notify)
    for command in (("scan", "all"), ("alert", "test"), ("scope", "check")):
        code, out, err = run(*command, cwd=tmp_path)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"vetuste: site.toml{says}")


def test_variables_that_are_not_set_are_named(tmp_path: Path) -> None:
    more = ('user_env = "MAIL_USER"', 'password_env = "MAIL_PASSWORD"')
    source = read(tmp_path, rule("breaker", ["mail", "hook"]), mail(25, *more, tls="starttls"), HOOK)
    assert unset_variables(source.file, {"MAIL_USER": "x", "HOOK": ""}) == ("MAIL_PASSWORD", "HOOK")


def test_the_doctor_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Where(site_file=str(read(tmp_path, rule("breaker", ["hook"]), HOOK).path))
    monkeypatch.delenv("HOOK", raising=False)
    (said,) = installation.alerts(where)
    assert (said.state, said.says.render()) == (State.WARN, "not set: HOOK")
    monkeypatch.setenv("HOOK", "json://localhost")
    (said,) = installation.alerts(where)
    assert said.state is State.OK
    assert not list(installation.alerts(Where(site_file=str(read(tmp_path).path))))
