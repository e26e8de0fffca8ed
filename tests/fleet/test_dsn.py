from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from scanner.errors import ConfigError
from scanner.fleet.dsn import checked

NO_TLS = "beyond this machine"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///vetuste",
        "postgres:///vetuste?host=/run/postgresql",
        "postgresql://vetuste@localhost/vetuste",
        "postgresql://vetuste@127.0.0.1:5433/vetuste",
        "postgresql://vetuste@[::1]/vetuste?sslmode=disable",
        "postgresql:///vetuste?host=@abstract",
        "postgresql://nord@centre.example/vetuste?sslmode=verify-full",
        "postgresql://nord@a,b/vetuste?sslmode=verify-full",
        "postgresql://centre.example/vetuste?hostaddr=127.0.0.1",
    ],
)
def test_what_stays_here_or_proves_whom_it_speaks_to_is_taken(url: str) -> None:
    told = conninfo_to_dict(checked(url, {}, key="--db", argument=True))
    assert told["gssencmode"] == "disable"  # or sslmode would say nothing
    assert told["tcp_user_timeout"] == "15000"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nord@centre.example/vetuste",
        "postgresql://nord@10.0.0.1/vetuste?sslmode=require",
        "postgresql://nord@10.0.0.1/vetuste?sslmode=verify-ca",
        "postgresql://nord@localhost,centre.example/vetuste",
        "postgresql://nord@centre.example,localhost/vetuste",
        "postgresql://nord@localhost/vetuste?hostaddr=10.0.0.1",
        "postgresql://nord@localhost.example/vetuste",
        "postgresql:///vetuste?service=centre",
        "postgresql://nord@2130706433/vetuste",  # 127.0.0.1 to some, and a name to others
    ],
)
def test_what_leaves_without_proof_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=NO_TLS):
        checked(url, {}, key="--db", argument=False)


def test_what_libpq_reads_in_the_environment_counts() -> None:
    bare = "postgresql:///vetuste"
    for there in ({"PGHOST": "centre.example"}, {"PGHOSTADDR": "10.0.0.1"}, {"PGSERVICE": "centre"}):
        with pytest.raises(ConfigError, match=NO_TLS):
            checked(bare, there, key="VETUSTE_DB", argument=False)
    assert checked(bare, {"PGHOST": "centre.example", "PGSSLMODE": "verify-full"}, key="", argument=False)
    with pytest.raises(ConfigError, match=NO_TLS):  # the service file says more than PGSSLMODE
        checked(bare, {"PGSERVICE": "centre", "PGSSLMODE": "verify-full"}, key="", argument=False)


@pytest.mark.parametrize(
    "url",
    ["postgresql://nord:hush@localhost/vetuste", "postgresql://localhost/vetuste?sslpassword=hush&user=nord"],
)
def test_a_password_stands_in_no_argument(url: str) -> None:
    with pytest.raises(ConfigError, match="PGPASSFILE") as told:
        checked(url, {}, key="--db", argument=True)
    assert "hush" not in str(told.value)
    assert "hush" in checked(url, {}, key="VETUSTE_DB", argument=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "inventory.db",
        "sqlite:///x",
        "host=centre password=hush",
        "postgresql://a:hush@[::1/c",
        "postgresql://h/d?hush=1",
    ],
)
def test_what_is_no_such_url_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="postgresql://USER@HOST/DATABASE") as told:
        checked(url, {}, key="--db", argument=False)
    assert "hush" not in str(told.value)
