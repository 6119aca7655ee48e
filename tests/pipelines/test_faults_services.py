"""MLflow or a network that is down, slow, or somebody else's page: bounded waits, no body, no secret."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines import rankers
from tests.pipelines.ends import asked
from tests.pipelines.small_crm import NIGHT, write

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CANARY = "Zebediah Quux"
PATIENCE = 1.0
ENDS_WITHIN = 10.0
ROOMS = Path(rankers.__file__).resolve().parents[1]


class Answers(BaseHTTPRequestHandler):
    """A server that answers in the way that its ``kind`` says."""

    def do_GET(self):
        getattr(self, f"say_{self.server.kind}")()

    do_POST = do_GET  # noqa: N815  # as http.server calls it

    def say(self, code, body, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def say_html(self):
        self.say(200, f"<html>log in, {CANARY}</html>".encode())

    def say_redirect(self):
        if self.path == "/login":
            return self.say_html()
        return self.say(302, b"", Location="/login")

    def say_circle(self):
        self.say(302, b"", Location=self.path)

    def say_error(self):
        self.say(500, CANARY.encode())

    def say_expired(self):
        told = {"error_code": "UNAUTHENTICATED", "message": f"token of {CANARY} has expired"}
        self.say(401, json.dumps(told).encode())

    def say_dripping(self):
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + CANARY.encode() * 9999:
                self.wfile.write(bytes([byte]))
                if self.server.may_end.wait(0.1):
                    return

    def say_silent(self):
        self.server.may_end.wait(60)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@pytest.fixture
def server():
    """Start a server of a kind; its address."""
    started = []

    def start(kind, *, wrap=None):
        held = Server(("127.0.0.1", 0), Answers)
        held.kind, held.may_end = kind, threading.Event()
        if wrap is not None:
            held.socket = wrap(held.socket)
        thread = threading.Thread(target=held.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        started.append((held, thread))
        return f"127.0.0.1:{held.server_address[1]}"

    yield start
    for held, thread in started:
        held.may_end.set()
        held.shutdown()
        held.server_close()
        thread.join()


@pytest.fixture
def impatient(monkeypatch):
    """Questions to MLflow end soon; a read alone would have more patience than all of them together."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    monkeypatch.setattr(rankers, "PATIENCE_SECONDS", PATIENCE)
    import mlflow  # noqa: F401  # seconds that are not those of the server


def scored(leadrank, home, address):
    """How a night ends whose MLflow is at an address: code, stderr, seconds."""
    with (home / "params.yaml").open("a", encoding="utf-8") as file:
        file.write(f"tracking: {{uri: '{address}'}}\n")
    began = time.perf_counter()
    code, out, err = leadrank("score", *NIGHT, home=home)
    seconds = time.perf_counter() - began
    assert CANARY not in out + err
    return code, err, seconds


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["html", "redirect", "circle", "error", "expired", "dripping", "silent"])
def test_whatever_answers_in_the_place_of_mlflow_holds_a_night_for_its_patience_alone(
    tmp_path, leadrank, server, kind
):
    home = write(tmp_path / "crm")
    code, err, seconds = scored(leadrank, home, f"http://{server(kind)}")
    line = json.loads(err.splitlines()[-1])
    assert (code, line["code"], line["stage"]) == (5, 5, "fetching the champion")
    assert "MLflow" in line["reason"]
    assert seconds < PATIENCE + ENDS_WITHIN
    assert not (home / "runs" / "CURRENT").exists()


@pytest.mark.usefixtures("impatient")
def test_a_server_that_accepts_and_says_nothing_holds_a_night_for_its_patience_alone(tmp_path, leadrank):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        home = write(tmp_path / "crm")
        code, _, seconds = scored(leadrank, home, f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert (code, seconds < PATIENCE + ENDS_WITHIN) == (5, True)


def self_signed(folder):
    """A certificate that nobody vouches for, and that is over since yesterday."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - 9 * day)
        .not_valid_after(now - day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "server.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.mark.usefixtures("impatient")
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, leadrank, server, monkeypatch):
    monkeypatch.setattr(rankers, "PATIENCE_SECONDS", 20.0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    address = server("html", wrap=lambda plain: context.wrap_socket(plain, server_side=True))
    code, err, _ = scored(leadrank, write(tmp_path / "crm"), f"https://{address}")
    assert code == 5
    assert "failed with" in json.loads(err.splitlines()[-1])["reason"]


def test_no_line_of_ours_leaves_a_certificate_unchecked():
    words = ("INSECURE_TLS", "verify=False", "CERT_NONE", "check_hostname", "_create_unverified")
    texts = {
        path: path.read_text(encoding="utf-8")
        for room in ("features", "models", "serve", "pipelines")
        for path in (ROOMS / room).rglob("*.py")
    }
    assert len(texts) > 100
    assert [path for path, text in texts.items() if any(word in text for word in words)] == []


SECRETS = ("p@ss:w/rd%1", "tok3n=?")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("secret", SECRETS)
def test_no_form_of_a_secret_is_told(tmp_path, leadrank, server, secret):
    forms = {secret, quote(secret, safe=""), quote(quote(secret, safe=""), safe="")}
    forms |= {base64.b64encode(text.encode()).decode() for text in (secret, f"ada:{secret}")}
    home = write(tmp_path / "crm")
    held = f"http://ada:{quote(secret, safe='')}@{server('error')}"
    code, err, _ = scored(leadrank, home, held)
    told = [err]
    assert code == 5
    for path, text in (
        ("params.yaml", f"sinks: {{sql: '{held}'}}\n"),
        ("params.yaml", f"trackin: {{uri: '{held}'}}\n"),
        ("params.yaml", f"seed: '{secret}'\n"),
    ):
        write(home)
        with (home / path).open("a", encoding="utf-8") as file:
            file.write(text)
        code, out, err = leadrank("score", *NIGHT, home=home)
        told += [out, err]
        assert code in {2, 5}
    state = [path.read_bytes().decode(errors="replace") for path in (home / ".leadrank").rglob("*.json")]
    assert state
    assert not [form for form in forms for text in (*told, *state) if form in text]


class AskedError(AssertionError):
    """Somebody wanted to connect to a network."""


@pytest.fixture
def offline(monkeypatch):
    """Every connection of this process fails, and is told."""
    told = []
    connect = socket.socket.connect

    def refused(self, address, *rest):
        if self.family == socket.AF_UNIX:
            return connect(self, address, *rest)
        told.append(address)
        raise AskedError(address)

    def unknown(host, *_, **__):
        told.append(host)
        raise AskedError(host)

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "connect_ex", refused)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return told


def test_a_night_and_its_readers_connect_to_nobody(tmp_path, leadrank, offline):
    home = write(tmp_path / "crm")
    asked(leadrank, "check", home=home)
    asked(leadrank, "score", *NIGHT, home=home)
    asked(leadrank, "current", home=home)
    asked(leadrank, "explain", "L1", "--html", "lead.html", home=home)
    assert offline == []
    assert "http" not in (home / "lead.html").read_text(encoding="utf-8")


def test_mlflow_beside_us_sends_nothing_anywhere(demo, leadrank, offline):
    import os

    from models.tracking.settings import settle

    asked(leadrank, "models", home=demo.home)
    settle()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert offline == []


def test_without_any_network_a_night_is_ranked(tmp_path):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no process a network of its own")
    home = write(tmp_path / "crm")
    words = ["unshare", "-rn", Path(sys.executable).parent / "leadrank", "score", *NIGHT, "--json"]
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["ranked"] == 48
