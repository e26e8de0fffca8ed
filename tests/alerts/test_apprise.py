from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.alerts import sending
from scanner.alerts.model import Outcome
from scanner.inventory import alarms_rows
from tests.alerts.receivers import HOST, Hook, web_hook
from tests.alerts.sites import HOOK, NOW, raise_alarms, read, rule

if TYPE_CHECKING:
    from scanner.alerts.model import Result
    from scanner.inventory import Inventory

SECRET = "s3cr3t-token"  # noqa: S105 - of nobody
TO = ("hook",)
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's own


def delivered(inventory: Inventory, folder: Path) -> Result:
    source = read(folder, rule("breaker", TO), HOOK)
    (result,) = sending._deliver(inventory, source.file, NOW)
    return result


def test_a_hook_that_fails_and_comes_back_is_told(
    inventory: Inventory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    raise_alarms(inventory, ["PC-1\r\n(10.20.0.1)"], to=TO)
    with web_hook(Hook(500)) as hook:
        monkeypatch.setenv("HOOK", f"json://user:{SECRET}@{HOST}:{hook.port}/{SECRET}")
        assert delivered(inventory, tmp_path).outcome is Outcome.FAILED
    assert delivered(inventory, tmp_path).outcome is Outcome.FAILED, "nobody is there"
    (alarm,) = alarms_rows(inventory)
    assert alarm.deliveries[0].tries == 2
    assert alarm.deliveries[0].why is not None
    hook.status = 200
    with web_hook(hook):
        assert delivered(inventory, tmp_path).outcome is Outcome.SENT
        assert delivered(inventory, tmp_path).outcome is Outcome.NOTHING
    (body,) = map(json.loads, hook.bodies)
    assert body["title"] == "vetuste, CHU: PC-1\ufffd\ufffd(10.20.0.1)"
    assert "The circuit breaker stopped subnets: 1" in body["message"]
    assert SECRET not in caplog.text + "".join(capfd.readouterr())
    inventory.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("inventory.db*"))
    assert SECRET.encode() not in kept


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"nothing://{SECRET}", "what HOOK holds is no URL that apprise knows"),
        (SECRET, "what HOOK holds is no URL that apprise knows"),
        ("", "the environment variable HOOK is not set"),
    ],
)
def test_a_url_that_is_none_is_not_repeated(
    inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, says: str
) -> None:
    monkeypatch.setenv("HOOK", url)
    raise_alarms(inventory, ["one"], to=TO)
    result = delivered(inventory, tmp_path)
    assert result.why is not None
    assert result.why.render() == says


def test_without_apprise_only_its_channels_fail() -> None:
    program = (
        "import sys; sys.modules['apprise'] = None\n"
        "from scanner.alerts.finding import channels\n"
        "print(sorted(channels()))\n"
        "from types import SimpleNamespace as Any\n"
        "import os; os.environ['HOOK'] = 'json://localhost'\n"
        "try: channels()['apprise'].send(Any(url_env='HOOK'), None)\n"
        "except Exception as error: print(error)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "['apprise', 'mail', 'syslog']",
        'apprise is not installed: pip install "vetuste[notify]"',
    ]
