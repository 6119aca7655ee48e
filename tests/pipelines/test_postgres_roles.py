"""The roles of docs/running/roles.sql: each may do what its part needs, and the server refuses the rest."""

from __future__ import annotations

import re

import pytest

from tests.pipelines.server_crm import DOCS, PASSWORDS, ROLES, ROLES_FILE, roles, served

OWN = {"crm": "reader", "ranking": "writer", "page": "page", "mlflow": "mlflow"}
"""Schema, and the role whose it is: the CRM's is read, the others are owned."""


@pytest.fixture(scope="module")
def server(postgres):
    """Each schema has a table ``kept`` with one row."""
    with served(postgres.con.info.port) as made:
        for schema, role in OWN.items():
            owner = "tests" if schema == "crm" else f"leadrank_{role}"
            made.ask(f"CREATE TABLE {schema}.kept AS SELECT 1 AS n", role=owner)
        yield made


def refused(server, statement, role):
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.ask(statement, role=role)


@pytest.mark.parametrize("role", ROLES)
def test_a_wrong_password_is_refused(server, role):
    import psycopg

    address = server.url(f"leadrank_{role}").replace("hunter2", "hunter3")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_is_its_own_and_nothing_else(server, role):
    for schema, owner in OWN.items():
        query = f"SELECT n FROM {schema}.kept"  # noqa: S608  # our own names
        if owner == role:
            assert server.ask(query, role=f"leadrank_{role}") == [(1,)]
        else:
            refused(server, query, f"leadrank_{role}")


def test_the_page_and_mlflow_look_in_their_own_schema(server):
    for role in ("page", "mlflow"):
        assert server.ask("SELECT n FROM kept", role=f"leadrank_{role}") == [(1,)]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("reader", "DELETE FROM crm.leads"),
        ("reader", "INSERT INTO crm.leads DEFAULT VALUES"),
        ("reader", "CREATE TABLE crm.mine ()"),
        ("reader", "CREATE TEMPORARY TABLE mine ()"),
        ("writer", "CREATE TEMPORARY TABLE mine ()"),
        ("page", "CREATE TEMPORARY TABLE mine ()"),
        ("mlflow", "CREATE TEMPORARY TABLE mine ()"),
        *((role, "CREATE TABLE public.mine ()") for role in ROLES),
        *((role, "CREATE SCHEMA mine") for role in ROLES),
    ],
)
def test_a_role_may_do_no_more_than_its_part_needs(server, role, statement):
    refused(server, statement, f"leadrank_{role}")


def test_the_engine_makes_temporary_tables(server):
    assert server.ask("CREATE TEMPORARY TABLE mine AS SELECT 1", role="leadrank_engine") == []


def test_a_table_of_the_crm_that_is_made_later_may_be_read(server):
    server.ask("CREATE TABLE crm.later AS SELECT 2 AS n")
    assert server.ask("SELECT n FROM crm.later", role="leadrank_reader") == [(2,)]


def test_a_report_that_was_granted_the_ranking_reads_it_and_what_comes_later_and_nothing_else(server):
    page = (DOCS / "postgres.md").read_text(encoding="utf-8")
    (granting,) = re.findall(r"```sql\n(GRANT .+?)```", page, re.DOTALL)
    server.ask("CREATE ROLE crm_report LOGIN")
    try:
        server.ask(granting)
        server.ask("CREATE TABLE ranking.later AS SELECT 2 AS n", role="leadrank_writer")
        for table in ("kept", "later"):
            query = f"SELECT count(*) FROM ranking.{table}"  # noqa: S608  # our own names
            assert server.ask(query, role="crm_report") == [(1,)]
        refused(server, "DELETE FROM ranking.kept", "crm_report")
        refused(server, "SELECT n FROM page.kept", "crm_report")
    finally:
        server.ask("DROP OWNED BY crm_report")
        server.ask("DROP ROLE crm_report")


@pytest.mark.parametrize("missing", list(PASSWORDS))
def test_without_one_of_the_passwords_no_role_is_made(server, tmp_path, missing):
    script = tmp_path / "roles.sql"
    text = ROLES_FILE.read_text(encoding="utf-8")
    script.write_text(text.replace("leadrank_", "other_"), encoding="utf-8")
    given = {name: value for name, value in PASSWORDS.items() if name != missing}
    assert roles(server, given, script) != 0
    assert server.ask("SELECT rolname FROM pg_roles WHERE rolname ~ '^other_'") == []
