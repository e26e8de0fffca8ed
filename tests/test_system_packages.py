"""The script that sees to other people's programs, with a system of its own making around it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("system-packages")
TABLE = re.search(r"package_of=\((.*?)\n\)", SCRIPT.read_text(encoding="utf-8"), re.DOTALL)
assert TABLE is not None
PACKAGES = dict(re.findall(r"\[([^]]+)\]=([\w.+-]+)", TABLE[1]))
"""By program, or by a file where a package has none."""
MISSING = ("nmap", "ssh-keygen", "smbd", "smbclient", "tshark", "xrdp", "/usr/lib/dovecot/pop3")
NAMED = "dovecot-pop3d nmap openssh-client samba smbclient tshark xrdp"


class System:
    """A directory of programs that write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.log.touch()
        for name in ("bash", "env", "sort"):
            (folder / name).symlink_to(shutil.which(name) or name)
        for name in ("apt-get", "rm", "systemctl"):
            self.add(name, f'echo "{name} $*" >> {self.log}')
        self.add("install", f'while read -r _; do :; done; echo "install $*" >> {self.log}')

    def add(self, name: str, body: str = "exit 0") -> None:
        (self.folder / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (self.folder / name).chmod(0o755)

    def has_all_but(self, *missing: str) -> None:
        """Everything is there, but for these."""
        for name in PACKAGES:
            if name in missing:
                continue
            if name.startswith("/"):
                file = self.folder / name.replace("*", "some").lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            else:
                self.add(name)

    def run(self) -> tuple[int, str, list[str]]:
        # The script looks in the directories of the system too: it is told that they are this one.
        text = SCRIPT.read_text(encoding="utf-8").replace("/usr/sbin", str(self.folder)).replace(":/sbin", "")
        text = text.replace("/usr/", f"{self.folder}/usr/")
        (self.folder / "script").write_text(text)
        command = [self.folder / "bash", self.folder / "script"]
        environment = {"PATH": str(self.folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr, self.log.read_text().splitlines()


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_nothing_happens_where_everything_is_there(system: System) -> None:
    system.has_all_but()
    assert system.run() == (0, "", [])


def test_without_a_right_to_install_one_line_names_what_is_missing(system: System) -> None:
    system.has_all_but(*MISSING)
    system.add("id", "echo 1000")
    system.add("sudo", "exit 1")
    code, said, done = system.run()
    assert (code, done) == (1, [])
    assert said == f"the tests need other programs: sudo apt install {NAMED}\n"


@pytest.mark.parametrize("user", ["root", "sudo"])
def test_with_the_right_it_installs_what_is_missing_and_starts_no_server(system: System, user: str) -> None:
    system.has_all_but(*MISSING)
    system.add("id", f"echo {0 if user == 'root' else 1000}")
    system.add("sudo", '[ "$1" = -n ] && shift; [ "$1" = true ] || exec "$@"')
    code, said, done = system.run()
    assert (code, said) == (0, f"installing for the tests: {NAMED}\n")
    assert done[0] == f"install -m 755 /dev/stdin {system.folder}/policy-rc.d"
    assert done[1].endswith(" update")
    assert done[2].endswith(f"install -y --no-install-recommends {NAMED}")
    assert done[-1] == f"rm -f {system.folder}/policy-rc.d"


def test_an_installation_that_fails_is_a_failure(system: System) -> None:
    system.add("id", "echo 0")
    system.add("apt-get", "echo 'no network' >&2; exit 100")
    code, said, done = system.run()
    assert code == 100
    assert "no network" in said
    assert done[-1] == f"rm -f {system.folder}/policy-rc.d"
