"""The script that sees to other people's programs, with a system of its own making around it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("system-packages")
PROGRAMS = ("smbd", "smbclient", "nmap", "tcpdump", "tshark", "ip", "nft", "ssh-keygen", "faketime")


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

    def run(self) -> tuple[int, str, list[str]]:
        # The script looks in the directories of the system too: it is told that they are this one.
        text = SCRIPT.read_text(encoding="utf-8").replace("/usr/sbin", str(self.folder)).replace(":/sbin", "")
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
    for program in PROGRAMS:
        system.add(program)
    assert system.run() == (0, "", [])


def test_without_a_right_to_install_one_line_names_what_is_missing(system: System) -> None:
    for program in ("smbd", "ip", "nft", "smbclient", "ssh-keygen", "faketime"):
        system.add(program)
    system.add("id", "echo 1000")
    system.add("sudo", "exit 1")
    code, said, done = system.run()
    assert (code, done) == (1, [])
    assert said == "the tests need other programs: sudo apt install nmap tcpdump tshark\n"


@pytest.mark.parametrize("user", ["root", "sudo"])
def test_with_the_right_it_installs_what_is_missing_and_starts_no_server(system: System, user: str) -> None:
    for program in ("ip", "nft", "tcpdump", "faketime"):
        system.add(program)
    system.add("id", f"echo {0 if user == 'root' else 1000}")
    system.add("sudo", '[ "$1" = -n ] && shift; [ "$1" = true ] || exec "$@"')
    code, said, done = system.run()
    assert (code, said) == (0, "installing for the tests: nmap openssh-client samba smbclient tshark\n")
    assert done[0] == f"install -m 755 /dev/stdin {system.folder}/policy-rc.d"
    assert done[1].endswith(" update")
    assert done[2].endswith("install -y --no-install-recommends nmap openssh-client samba smbclient tshark")
    assert done[-1] == f"rm -f {system.folder}/policy-rc.d"


def test_an_installation_that_fails_is_a_failure(system: System) -> None:
    system.add("id", "echo 0")
    system.add("apt-get", "echo 'no network' >&2; exit 100")
    code, said, done = system.run()
    assert code == 100
    assert "no network" in said
    assert done[-1] == f"rm -f {system.folder}/policy-rc.d"
