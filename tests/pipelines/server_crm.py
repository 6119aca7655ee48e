"""A CRM with typed columns in a PostgreSQL database of its own, with the roles of docs/running/roles.sql.

Addresses and passwords go the way of docs/running/compose.yaml and docs/postgres.md, whose port is replaced.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.postgres import program

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ROLES_FILE = DOCS / "running" / "roles.sql"
DATABASE = "leadrank"
ROLES = ("reader", "engine", "writer", "page", "mlflow")
PASSWORDS = {f"LEADRANK_{name.upper()}_PASSWORD": f"{name}-hunter2" for name in ROLES}
NIGHT = ("--as-of", "2026-02-01")
SMALL = """\
train: {horizon_days: 30, every_days: 28, bags: 1, max_trees: 40}
gates: {freshness_days: {leads: 90, touches: 9, outcomes: 90}}
"""

# Every third lead is courted and mostly won; of the others few are. No number is random.
CRM = """
CREATE TYPE crm.origin AS ENUM ('web', 'fair', 'partner');
CREATE TABLE crm.leads (lead_id text, created_at timestamptz, source crm.origin, employees integer,
    budget numeric(12, 2), ratio double precision, is_customer boolean, founded_on date, external uuid);
INSERT INTO crm.leads SELECT 'L' || n, '2025-01-01 06:30+00'::timestamptz + n * interval '20 hours',
    (enum_range(NULL::crm.origin))[1 + n % 3], n * 37 % 500, nullif(n % 9, 0) * 1000.50, n / 7.0, n % 5 = 0,
    CASE WHEN n % 4 > 0 THEN '1990-01-01'::date + n END, md5(n::text)::uuid FROM generate_series(1, 400) n;
CREATE TABLE crm.touches (lead_id text, occurred_at timestamptz, kind text, duration_seconds bigint);
INSERT INTO crm.touches SELECT lead_id, created_at + k * interval '3 days', 'demo_request', 60 * k
    FROM crm.leads, generate_series(1, 6) k WHERE source = 'web';
INSERT INTO crm.touches SELECT lead_id, created_at + k * interval '7 days', 'email_open', NULL
    FROM crm.leads, generate_series(1, 2) k WHERE source <> 'web';
INSERT INTO crm.touches SELECT lead_id, '2026-01-30 23:15+00', 'call', 90
    FROM crm.leads WHERE employees % 7 = 0;
CREATE TABLE crm.outcomes (lead_id text, stage text, occurred_at timestamp, amount numeric);
INSERT INTO crm.outcomes SELECT lead_id, 'won', created_at AT TIME ZONE 'UTC' + interval '25 days', budget
    FROM crm.leads WHERE (source = 'web' AND employees % 10 < 7) OR (source = 'fair' AND employees % 20 = 3);
INSERT INTO crm.outcomes SELECT lead_id, 'lost', created_at AT TIME ZONE 'UTC' + interval '60 days', NULL
    FROM crm.leads WHERE employees % 4 = 0 AND lead_id NOT IN (SELECT lead_id FROM crm.outcomes);
-- What a session shows a moment in must not matter.
ALTER ROLE leadrank_reader SET timezone = 'Europe/Berlin';
"""


@dataclass(frozen=True)
class Server:
    """A database of the server of the test run.

    Attributes
    ----------
    port
        Of the server, on loopback.
    """

    port: int

    def url(self, role: str = "tests") -> str:
        """Address for psycopg; every role but the superuser needs its password."""
        name = f"LEADRANK_{role.removeprefix('leadrank_').upper()}_PASSWORD"
        login = f"{role}:{PASSWORDS[name]}" if name in PASSWORDS else role
        return f"postgresql://{login}@127.0.0.1:{self.port}/{DATABASE}"

    def ask(self, statement: str, *values: object, role: str = "tests") -> list[tuple]:
        """The rows of a statement, which is committed."""
        import psycopg

        with psycopg.connect(self.url(role), autocommit=True) as connection:
            done = connection.execute(statement, values or None)
            return done.fetchall() if done.description else []

    def export(self, table: str, file: Path) -> None:
        """Write a table as a CSV file, by PostgreSQL's own export and in another order."""
        import psycopg

        rows = f"SELECT * FROM crm.{table} AS t ORDER BY md5(t::text)"  # noqa: S608  # our own names
        export = f"COPY ({rows}) TO STDOUT (FORMAT csv, HEADER)"
        with (
            psycopg.connect(self.url()) as connection,
            connection.cursor().copy(export) as blocks,
            file.open("wb") as written,
        ):
            written.writelines(blocks)


@contextmanager
def served(port: int) -> Iterator[Server]:
    """A database with the roles, in which a wrong password is refused, and the CRM; gone at the end."""
    import psycopg

    server = Server(port)
    admin = f"postgresql://tests@127.0.0.1:{port}/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
        access = Path(connection.execute("SHOW hba_file").fetchone()[0])
        trusting = access.read_text(encoding="utf-8")
        for name in ROLES:
            line = f"host {DATABASE} leadrank_{name} 127.0.0.1/32 scram-sha-256\n"
            access.write_text(line + access.read_text(encoding="utf-8"), encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
    try:
        assert roles(server, PASSWORDS) == 0
        server.ask(CRM)
        yield server
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            access.write_text(trusting, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            for (role,) in connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname ~ '^leadrank_'"
            ).fetchall():
                connection.execute(f"DROP ROLE {role}")


def roles(server: Server, passwords: dict[str, str], script: Path = ROLES_FILE) -> int:
    """Run the script of the roles as docs/postgres.md says; the exit code of psql."""
    return done("psql", server, ROOT, passwords, {"docs/running/roles.sql": str(script)})


def done(name: str, server: Server, folder: Path, environment: dict[str, str], other: dict[str, str]) -> int:
    """Run the command of docs/postgres.md that begins with a program's name; its exit code."""
    page = (DOCS / "postgres.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^{name} .+$", page, re.MULTILINE)
    for written, meant in other.items():
        command = command.replace(written, shlex.quote(meant))
    known = {key: value for key, value in os.environ.items() if key not in PASSWORDS}
    known["PATH"] = f"{Path(program(name)).parent}:{known['PATH']}"
    whole = known | {"ADMIN_URL": server.url()} | environment
    words = ["bash", "-c", command]
    return subprocess.run(words, cwd=folder, env=whole, capture_output=True, check=False).returncode


def declared(name: str) -> dict[str, Any]:
    """A service of compose.yaml."""
    text = (DOCS / "running" / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["services"][name]


def addresses(name: str, port: int) -> dict[str, str]:
    """The environment of a service."""
    given = declared(name)["environment"]
    return {key: here(filled(value), port) for key, value in given.items() if key != "HOME"}


def service(name: str, port: int) -> list[str]:
    """The command line of a service."""
    return [here(word, port) for word in (*declared(name)["entrypoint"], *declared(name)["command"])]


def filled(text: str) -> str:
    """A text of compose.yaml with its variables."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: PASSWORDS[found[1]], text)


def here(text: str, port: int) -> str:
    """The same with the port of this server."""
    return text.replace("127.0.0.1:5433", f"127.0.0.1:{port}")


def documented(port: int) -> str:
    """The params.yaml of docs/postgres.md."""
    page = (DOCS / "postgres.md").read_text(encoding="utf-8")
    return here(re.search(r"```yaml\n(tables:.*?)```", page, re.DOTALL)[1], port)
