"""The examples of docs/running.md are checked with the tools of their kind, and name commands that exist."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import warnings
from importlib import metadata
from itertools import dropwhile
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.serve_sections import Serve

ROOT = Path(__file__).parents[1]
RUNNING = ROOT / "docs" / "running"
CODES = {0, 2, 3, 4, 5, 6, 7, 8, 70}


def text(name):
    return (RUNNING / name).read_text(encoding="utf-8")


def cronjob():
    return yaml.safe_load(text("cronjob.yaml"))["spec"]


def container():
    return cronjob()["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


def compose():
    return yaml.safe_load(text("compose.yaml"))


def told():
    """The services that docs/postgres.md names to ``docker compose``, each with the words that follow it."""
    page = (ROOT / "docs" / "postgres.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    docker compose (?:-\S+ \S+ )?(?:up|run) (.+)$", page, re.MULTILINE)
    words = [dropwhile(is_option, shlex.split(line, comments=True)) for line in lines]
    return [(name, rest) for name, *rest in words]


def is_option(word):
    return word.startswith("-")


def composed():
    """What the services of compose.yaml with our own image run, and what its document has them run."""
    ours = [s for s in compose()["services"].values() if s["image"] == "leadrank" and "entrypoint" not in s]
    return [service["command"] for service in ours] + [words for _, words in told() if words]


def commands():
    """The command lines of the examples, from the word after ``leadrank``."""
    service = re.search(r"^ExecStart=\S+/leadrank (.+)$", text("leadrank.service"), re.MULTILINE)[1]
    cron = re.findall(r"bin/leadrank (.+?) >", text("crontab"))
    docker = re.search(r"^CMD (\[.+\])$", text("Dockerfile"), re.MULTILINE)[1]
    dag = re.search(r'"leadrank (.+?)"', text("leadrank_dag.py"))[1].replace("{{ data_interval_end", "{{x")
    dag = re.sub(r"\{\{.*?\}\}", "2026-06-30", dag)
    return [
        shlex.split(service),
        *map(shlex.split, cron),
        ast.literal_eval(docker),
        shlex.split(dag),
        container()["args"],
        *composed(),
    ]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_example_calls_a_command_with_options_that_it_has(command, tmp_path):
    ended = CliRunner().invoke(app, [*command, "--params", str(tmp_path / "params.yaml")])
    # All else was understood; a password is asked for before the file is looked for.
    assert re.search("no params.yaml here|nobody to ask for the password", str(ended.exception))


def test_what_passes_by_itself_is_tried_again_and_nothing_else():
    final = {2, 3, 4, 8, 70}
    prevented = re.search(r"^RestartPreventExitStatus=(.+)$", text("leadrank.service"), re.MULTILINE)[1]
    assert {int(code) for code in prevented.split()} == final
    rules = cronjob()["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert set(rules[0]["onExitCodes"]["values"]) == final
    told = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    named = {int(code) for line in re.findall(r"exit code ([\d, ]+)", told) for code in line.split(",")}
    assert named == CODES - {0}


def test_a_stopped_night_has_longer_than_the_ten_seconds_it_needs():
    assert re.search(r"^TimeoutStopSec=15$", text("leadrank.service"), re.MULTILINE)
    assert cronjob()["jobTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 15


def test_kubernetes_never_starts_two_nights_and_counts_in_utc():
    assert (cronjob()["concurrencyPolicy"], cronjob()["timeZone"]) == ("Forbid", "Etc/UTC")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path):
    for name in ("leadrank.service", "leadrank.timer", "leadrank-alert@.service"):
        # The programs of the examples are not installed here, and no user is named leadrank.
        unit = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text(name), flags=re.MULTILINE)
        (tmp_path / name).write_text(unit, encoding="utf-8")
    units = [str(tmp_path / name) for name in ("leadrank.service", "leadrank.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, re.findall(r"leadrank\S*:\d+: .*", done.stderr)) == (0, []), done.stderr


def test_the_dag_is_python():
    ast.parse(text("leadrank_dag.py"))


def test_the_image_is_made_of_files_that_exist_and_of_the_lock():
    copied = re.findall(r"^COPY (\S+)", text("Dockerfile"), re.MULTILINE)
    assert copied == ["requirements.lock", "."]
    assert "--require-hashes --requirement requirements.lock" in text("Dockerfile")
    assert "--requirement postgres.lock" in text("Dockerfile")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "runs", "mlflow.db", ".leadrank"} <= set(ignored)


def test_the_image_has_the_driver_of_postgresql_with_its_hashes(tmp_path):
    (tmp_path / "requirements-dev.lock").write_bytes((ROOT / "requirements-dev.lock").read_bytes())
    command = re.search(r"(sed -n .+?) \\$", text("Dockerfile"), re.MULTILINE)[1]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    lines = (tmp_path / "postgres.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z-]+)==(\S+)", lines, re.MULTILINE))
    assert pinned == {name: metadata.version(name) for name in ("psycopg", "psycopg-binary")}
    assert len(re.findall("^ .*--hash=sha256:", lines, re.MULTILINE)) > 10
    assert set(re.findall("^([a-z-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)) >= {
        "typing-extensions"  # what the driver needs
    }


# ── compose.yaml ─────────────────────────────────────────────────────────────────────────────────


def test_images_are_pinned_and_nothing_listens_beyond_this_machine():
    services = compose()["services"]
    images = {service["image"] for service in services.values()}
    assert images - {"leadrank"} == {"postgres:17.11-bookworm"}
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    # On the machine's own network it is the program that decides; serve.host is the loopback by default.
    host = {name for name, service in services.items() if service.get("network_mode") == "host"}
    assert host == set(services) - {"db"}
    words = services["mlflow"]["entrypoint"]
    assert words[words.index("--host") + 1] == Serve().host == "127.0.0.1"
    assert services["page"]["command"] == ["serve"]


def test_every_password_comes_from_the_environment_and_is_asked_for():
    lines = [line for line in text("compose.yaml").splitlines() if not line.lstrip().startswith("#")]
    written = re.findall(r"\$\{(\w+)([^}]*)\}", "\n".join(lines))
    names = {name for name, _ in written if name.endswith("PASSWORD")}
    assert len(names) == 6
    assert {rest[:2] for name, rest in written if rest} == {":?"}  # none has a default
    assert {name for name, rest in written if rest} == {name for name, _ in written}
    assert all("${" in value for value in re.findall(r"PASSWORD: (.+)", "\n".join(lines)))
    logins = re.findall(r"//(\w+)(?::([^@]+))?@", "\n".join(lines))
    assert {login for login, _ in logins} == set(re.findall(r"CREATE ROLE (\w+)", text("roles.sql")))
    assert all(not secret or re.fullmatch(r"\$\{LEADRANK_\w+\}", secret) for _, secret in logins)


def test_the_document_has_every_variable_of_compose_and_gives_no_password():
    page = (ROOT / "docs" / "postgres.md").read_text(encoding="utf-8")
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", page, re.MULTILINE))
    assert set(given) == set(re.findall(r"\$\{(\w+)", text("compose.yaml")))
    assert {value for name, value in given.items() if name.endswith("PASSWORD")} == {""}


def test_the_passwords_of_compose_are_those_that_the_roles_are_made_with():
    read = set(re.findall(r"^\\getenv \w+ (\w+)$", text("roles.sql"), re.MULTILINE))
    given = compose()["services"]["db"]["environment"]
    assert read == {name for name in given if name.startswith("LEADRANK_")}
    for service in compose()["services"].values():
        for address in service["environment"].values():
            for role, name in re.findall(r"//leadrank_(\w+):\$\{(\w+)\}@", address):
                assert name == f"LEADRANK_{role.upper()}_PASSWORD"


def test_a_container_of_leadrank_may_write_its_folder_and_nothing_else():
    for name, service in compose()["services"].items():
        if name != "db":
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # of the container
            (volume,) = service["volumes"]
            assert volume.endswith(":/crm:ro" if name == "mlflow" else ":/crm")


def test_the_document_starts_services_that_exist():
    assert {name for name, _ in told()} == set(compose()["services"])
    assert len([words for _, words in told() if words]) == 3


def test_files_that_compose_mounts_and_builds_from_exist():
    services = compose()["services"]
    mounted = [v.split(":")[0] for v in services["db"]["volumes"] if v.startswith("./")]
    build = services["page"]["build"]
    built = RUNNING / build["context"] / build["dockerfile"]
    assert [RUNNING / file for file in mounted] == [RUNNING / "roles.sql"]
    assert built.resolve() == (RUNNING / "Dockerfile").resolve()
    named = set(compose()["volumes"])
    assert {v.split(":")[0] for v in services["db"]["volumes"] if v[0] not in "./"} == named


def test_mlflow_understands_the_words_of_its_service(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mlflow warns about itself while it is imported
        from mlflow.cli import cli
    service = compose()["services"]["mlflow"]
    program, command, *words = [*service["entrypoint"], *service["command"]]
    assert program == "mlflow"
    with cli.commands[command].make_context(command, words) as parsed:
        assert (parsed.params["host"], parsed.params["port"]) == ("127.0.0.1", 5000)
        assert parsed.params["serve_artifacts"] is False


def test_docker_understands_compose(monkeypatch):
    plugin = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("the plugin compose of docker is not installed")
    command = [*plugin, "--file", str(RUNNING / "compose.yaml"), "--profile", "*", "config", "--quiet"]
    for name in re.findall(r"\$\{(\w+):\?", text("compose.yaml")):
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0, f"without {name}"
        monkeypatch.setenv(name, "/srv/crm")
    subprocess.run(command, check=True)


def test_the_document_names_every_file():
    told = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert {path.name for path in RUNNING.iterdir()} == set(re.findall(r"\(running/([^)]+)\)", told))
