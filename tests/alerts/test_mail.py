from __future__ import annotations

import base64
import ssl
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.alerts import sending
from scanner.alerts.model import Outcome
from scanner.inventory import alarms_rows
from tests.alerts.receivers import Mailbox, mail_server
from tests.alerts.sites import NOW, mail, raise_alarms, read, rule
from tests.integration.peers_tls_rdp import Certificate

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.alerts.model import Result
    from scanner.config import SiteSource
    from scanner.inventory import Inventory

USER, PASSWORD = "robot-account", "hunter2-s3cr3t"
WITH_USER = ('user_env = "MAIL_USER"', 'password_env = "MAIL_PASSWORD"')


def delivered(inventory: Inventory, source: SiteSource, now: datetime = NOW) -> Result:
    """What waits is told; the rules themselves are judged elsewhere."""
    (result,) = sending._deliver(inventory, source.file, now)
    return result


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    return Certificate.made(folder, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30")


@pytest.fixture
def secure(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    monkeypatch.setenv("MAIL_USER", USER)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    return context


def test_an_alarm_is_told_once(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["10.20.0.0/24 stopped"])
    with mail_server(Mailbox()) as box:
        source = read(tmp_path, rule(), mail(box.port))
        assert delivered(inventory, source).outcome is Outcome.SENT
        assert delivered(inventory, source).outcome is Outcome.NOTHING
    (letter,) = box.letters()
    assert letter["Subject"] == "vetuste, CHU: 10.20.0.0/24 stopped"
    assert (letter["From"], letter["To"]) == ("vetuste@chu.example", "dsi@chu.example")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().splitlines() == [
        "CHU: 1 alarm (2026-11-23 12:00 UTC)",
        "",
        "The circuit breaker stopped subnets: 1",
        "  2026-11-23 12:00  Cardiologie: 10.20.0.0/24 stopped",
    ]
    assert [line.partition(" size=")[0] for line in box.said[1:]] == [
        "mail FROM:<vetuste@chu.example>",
        "rcpt TO:<dsi@chu.example>",
        "data",
        "quit",
    ]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("hangs", "nothing for"),
        ("hangs-late", "nothing for"),
        ("drops", "closed the connection"),
        ("refuses", "none of the recipients (550)"),
    ],
)
def test_a_server_that_fails_or_hangs_is_tried_again(
    inventory: Inventory, tmp_path: Path, mode: str, says: str
) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox(mode)) as box:
        source = read(tmp_path, rule(), mail(box.port))
        result = delivered(inventory, source)
        assert result.outcome is Outcome.FAILED
        assert result.why is not None
        assert says in result.why.render()
        (alarm,) = alarms_rows(inventory)
        assert (alarm.deliveries[0].tries, alarm.deliveries[0].sent) == (1, None)
    gone = delivered(inventory, source)
    assert gone.why is not None
    assert gone.why.render() == "the server cannot be reached: Connection refused"
    raise_alarms(inventory, ["one", "two"])
    again = Mailbox(port=box.port)
    with mail_server(again):
        assert delivered(inventory, source).alarms == 2
    (letter,) = again.letters()
    assert "one" in letter.get_content()
    assert "two" in letter.get_content()
    assert {each.deliveries[0].tries for each in alarms_rows(inventory)} == {1, 3}
    assert {each.deliveries[0].why for each in alarms_rows(inventory)} == {None}


def test_a_server_that_took_a_mail_and_then_hangs_has_it(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox("hangs-at-the-end")) as box:
        assert delivered(inventory, read(tmp_path, rule(), mail(box.port))).outcome is Outcome.SENT
    assert len(box.mails) == 1


def test_what_may_have_been_told_is_told_again_under_the_same_message_id(
    inventory: Inventory, tmp_path: Path
) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox("drops")) as box:
        source = read(tmp_path, rule(), mail(box.port))
        delivered(inventory, source)
        box.mode = "takes"
        delivered(inventory, source)
    first, second = box.letters()
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@chu.example>")


def test_a_password_is_sent_under_tls_alone(
    inventory: Inventory, tmp_path: Path, secure: ssl.SSLContext
) -> None:
    for at_once, tls in ((False, "starttls"), (True, "tls")):
        raise_alarms(inventory, [tls])
        with mail_server(Mailbox(context=secure, at_once=at_once)) as box:
            source = read(tmp_path, rule(), mail(box.port, *WITH_USER, tls=tls))
            assert delivered(inventory, source).outcome is Outcome.SENT
            assert box.secure
        (login,) = [line for line in box.said if line.startswith("AUTH PLAIN ")]
        assert base64.b64decode(login.split()[2]) == f"\0{USER}\0{PASSWORD}".encode()
        assert box.said.index(login) > (0 if at_once else box.said.index("STARTTLS"))


def test_a_server_without_starttls_gets_neither_password_nor_mail(
    inventory: Inventory, tmp_path: Path, secure: ssl.SSLContext
) -> None:
    del secure
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox()) as box:
        result = delivered(inventory, read(tmp_path, rule(), mail(box.port, *WITH_USER, tls="starttls")))
    assert result.outcome is Outcome.FAILED
    assert {line.split()[0] for line in box.said} == {"ehlo"}


def test_a_certificate_of_nobody_gets_neither_password_nor_mail(
    inventory: Inventory, tmp_path: Path, secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox(context=secure)) as box:
        result = delivered(inventory, read(tmp_path, rule(), mail(box.port, *WITH_USER, tls="starttls")))
    assert result.why is not None
    assert result.why.render() == "TLS failed: CERTIFICATE_VERIFY_FAILED"
    assert not box.mails
    assert not [line for line in box.said if line.startswith(("AUTH", "mail"))]


def test_nothing_secret_stands_in_what_is_kept_of_a_refusal(
    inventory: Inventory, tmp_path: Path, secure: ssl.SSLContext
) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox("denies", context=secure)) as box:
        source = read(tmp_path, rule(), mail(box.port, *WITH_USER, tls="starttls"))
        result = delivered(inventory, source)
    assert result.why is not None
    assert result.why.render() == "the server refused user and password (535)"
    inventory.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("inventory.db*"))
    for secret in (PASSWORD, USER, base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()):
        assert secret.encode() not in kept


def test_a_variable_that_is_not_set_is_named(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["one"])
    result = delivered(inventory, read(tmp_path, rule(), mail(1, *WITH_USER, tls="starttls")))
    assert result.why is not None
    assert result.why.render() == "the environment variable MAIL_USER is not set"


def test_in_quiet_hours_nothing_is_sent_and_all_of_it_once_afterwards(
    inventory: Inventory, tmp_path: Path
) -> None:
    with mail_server(Mailbox()) as box:
        source = read(tmp_path, rule(), mail(box.port, 'quiet = "22:00-07:00 Europe/Paris"'))
        for hour, subjects in ((22, ["one"]), (23, ["one", "two"])):
            at = datetime(2026, 11, 23, hour, tzinfo=UTC)
            raise_alarms(inventory, subjects, at=at)
            assert delivered(inventory, source, at).outcome is Outcome.QUIET
        raise_alarms(inventory, ["two"], at=datetime(2026, 11, 24, 3, 15, tzinfo=UTC))
        assert box.mails == []
        assert delivered(inventory, source, datetime(2026, 11, 24, 6, 0, tzinfo=UTC)).alarms == 2
    (letter,) = box.letters()
    assert "one (over since 2026-11-24 03:15 UTC)" in letter.get_content()


def test_many_alarms_are_one_mail_that_says_the_most_important_first(
    inventory: Inventory, tmp_path: Path
) -> None:
    many = [f"machine {number}" for number in range(70)]
    raise_alarms(inventory, many, rule="new-unsupported")
    with mail_server(Mailbox()) as box:
        source = read(tmp_path, rule(), rule("new-unsupported"), mail(box.port), language="fr")
        assert delivered(inventory, source).alarms == 70
    (letter,) = box.letters()
    assert letter["Subject"] == "vetuste, CHU: machine 0 (+69)"
    lines = letter.get_content().splitlines()
    assert sum(": machine " in line for line in lines) == 50
    assert len([line for line in lines if "20" in line and "vetuste alert list" in line]) == 1


NAMES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "PC\r\nBcc: somebody@elsewhere.example\r\n\r\n.\r\nQUIT",
            "\u202egnp.exe\u202c",
            "A" * 10_000,
            "=?utf-8?q?Bcc=3A_x?=",
            "..\n.\r\n",
            "\ud800 lone",
            "{what} %s",
        ]
    ),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_no_name_adds_a_header_or_an_order(tmp_path: Path, names: list[str]) -> None:
    from scanner.alerts.channels.mail import _message  # noqa: PLC0415 - a part of the channel
    from scanner.alerts.letters import letter_of  # noqa: PLC0415 - what is given to it
    from scanner.inventory import Alarm, Raised  # noqa: PLC0415 - of those names
    from scanner.language import Message  # noqa: PLC0415 - the same

    source = read(tmp_path, rule(), mail(25))
    raised = [
        Raised(number, "CHU", "breaker", Alarm(name, Message("{n}", {"n": name}), name), NOW, None)
        for number, name in enumerate(names)
    ]
    letter = letter_of(source.file.site, "mail", raised, NOW)
    assert not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in letter.subject)
    assert len(letter.subject) <= 150
    written = _message(source.file.channels[0], letter).as_bytes()
    head = written.partition(b"\r\n\r\n")[0].decode("ascii")
    fields = [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith(" ")]
    assert sorted(fields) == sorted(
        {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
        | {"Content-Type", "Content-Transfer-Encoding"}
    )
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    assert b"\n" not in written.replace(b"\r\n", b"")
