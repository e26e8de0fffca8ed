from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from scanner import alerts
from scanner.alerts import sending
from scanner.alerts.model import Outcome
from scanner.inventory import alarms_rows, waiting_alarms
from tests.alerts.receivers import Mailbox, mail_server
from tests.alerts.sites import NOW, mail, raise_alarms, read, rule
from tests.cli.process import run
from tests.inventory.hospital import NOON, recorder

if TYPE_CHECKING:
    import pytest

    from scanner.inventory import Inventory

ROOT = Path(__file__).parents[2]
BOTH = ("mail", "other")


def failed_scan(inventory: Inventory, folder: Path, *tables: str) -> None:
    with recorder(inventory, read(folder, *tables).file) as scan:
        scan.finish("failed", {}, ended=NOON)


def test_one_that_hangs_holds_up_nobody_else(
    inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner.alerts.channels import mail as channel  # noqa: PLC0415 - its patience is that of a snail here

    monkeypatch.setattr(channel, "PATIENCE", 60.0)
    monkeypatch.setattr(sending, "DEADLINE", 1.0)
    with mail_server(Mailbox("hangs")) as stuck, mail_server(Mailbox()) as box:
        tables = (rule("scan-failed", BOTH), mail(stuck.port), mail(box.port, name="other"))
        failed_scan(inventory, tmp_path, *tables)
        summary = alerts.send(inventory, read(tmp_path, *tables), NOW)
    assert (summary.raised, summary.failed) == (1, ("mail",))
    assert [(each.channel, each.outcome) for each in summary.results] == [
        ("mail", Outcome.FAILED),
        ("other", Outcome.SENT),
    ]
    assert len(box.mails) == 1
    stuck.mode = "takes"
    with mail_server(stuck), mail_server(box):
        summary = alerts.send(inventory, read(tmp_path, *tables), NOW)
    assert [each.outcome for each in summary.results] == [Outcome.SENT, Outcome.NOTHING]
    assert (len(stuck.mails), len(box.mails)) == (1, 1)


SEND = """
import sys
from datetime import UTC, datetime
from scanner.alerts import sending
from scanner.config import read_site
from scanner.inventory import open_inventory
with open_inventory(sys.argv[1]) as inventory:
    sending._deliver(inventory, read_site(sys.argv[2]).file, datetime.now(UTC))
"""


def sender(folder: Path) -> subprocess.Popen[bytes]:
    places = (f"sqlite:///{folder}/inventory.db", str(folder / "site.toml"))
    return subprocess.Popen([sys.executable, "-c", SEND, *places], cwd=ROOT)


def test_who_is_killed_while_it_sends_tells_it_again_and_leaves_no_lock(
    inventory: Inventory, tmp_path: Path
) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox("hangs-late")) as box:
        source = read(tmp_path, rule(), mail(box.port))
        with sender(tmp_path) as started:
            while not box.mails:
                assert started.poll() is None
                threading.Event().wait(0.01)
            started.send_signal(signal.SIGKILL)
        box.mode = "takes"
        assert len(waiting_alarms(inventory, "CHU", "mail")) == 1
        (result,) = sending._deliver(inventory, source.file, NOW)
        assert result.outcome is Outcome.SENT
    first, second = box.letters()
    assert first["Message-ID"] == second["Message-ID"]


def test_two_at_the_same_time_tell_everything_once(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["one"])
    with mail_server(Mailbox()) as box:
        read(tmp_path, rule(), mail(box.port))
        started = [sender(tmp_path) for _ in range(3)]
        assert [each.wait(60) for each in started] == [0] * 3
    assert len(box.mails) == 1
    assert not list(tmp_path.glob("*.lock"))


def test_another_that_sends_all_the_time_is_told_of(
    inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_TURN", 0.0)
    raise_alarms(inventory, ["one"])
    lock = inventory.database.lock(sending._SENDING)
    lock.take()
    try:
        (result,) = sending._deliver(inventory, read(tmp_path, rule(), mail(1)).file, NOW)
    finally:
        lock.release()
    assert (result.outcome, result.alarms) == (Outcome.BUSY, 1)


def test_the_commands_say_what_became_of_each_channel(inventory: Inventory, tmp_path: Path) -> None:
    with mail_server(Mailbox()) as box:
        tables = (rule("scan-failed", BOTH), mail(box.port), mail(1, name="other"))
        failed_scan(inventory, tmp_path, *tables)
        code, out, err = run("alert", "test", "--to", "mail", cwd=tmp_path)
        assert (code, out, err) == (0, "mail: took the test\n", "")
        code, out, _ = run("alert", "test", cwd=tmp_path)
        refused = "the server cannot be reached: Connection refused"
        assert (code, out) == (3, f"mail: took the test\nother: failed: {refused}\n")
        code, out, _ = run("alert", "send", cwd=tmp_path)
        assert code == 3
        assert out.splitlines() == [
            "Alarms raised: 1, cleared: 0.",
            "mail: told of 1",
            f"other: failed, 1 kept for the next try: {refused}",
        ]
        _, out, _ = run("alert", "list", cwd=tmp_path, COLUMNS="250")
        assert "scan 1, begun 2026-11-20 12:00 UTC, failed" in out
        assert f"other failed (1): {refused}" in out
    subjects = [letter["Subject"] for letter in box.letters()]
    assert subjects[0].startswith("vetuste, CHU: TEST: ")
    assert subjects[2] == "vetuste, CHU: scan 1, begun 2026-11-20 12:00 UTC, failed"
    code, _, err = run("alert", "test", "--to", "nobody", cwd=tmp_path)
    assert (code, err) == (2, "vetuste: there is no channel 'nobody'; there are: mail, other\n")


def test_a_site_file_without_rules_is_told(tmp_path: Path, inventory: Inventory) -> None:
    del inventory
    read(tmp_path)
    code, _, err = run("alert", "send", cwd=tmp_path)
    assert (code, err) == (
        2,
        "vetuste: site.toml: there is no [[alert]] in this site file: docs/alerts.md shows some\n",
    )
    assert run("alert", "list", "--json", cwd=tmp_path) == (0, "[]\n", "")


def test_a_day_on_which_everything_is_new_is_one_message(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, [f"machine {number}" for number in range(3000)], to=BOTH)
    with mail_server(Mailbox()) as box:
        source = read(tmp_path, rule("breaker", BOTH), mail(box.port), mail(box.port, name="other"))
        results = sending._deliver(inventory, source.file, NOW)
    assert [each.alarms for each in results] == [3000, 3000]
    assert [len(mail) < 3000 for mail in box.mails] == [True, True]
    assert not [each for row in alarms_rows(inventory) for each in row.deliveries if each.sent is None]
