"""Messages that are said once, signed, and sent until they are taken."""

from __future__ import annotations

import base64
import json
import stat
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from features.errors import ParameterError, StorageError
from serve.watching import delivery, outbox, webhook
from serve.watching.message import Message

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.01)


def message(lead="L1", *, at=NOON, threshold=50.0):
    return Message(lead, 62.5, threshold, at)


@contextmanager
def server(*answers, location=None, drip=False):
    """A hook on this machine that answers one after the other, the last one for ever; what it received."""
    received, left = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, dict(self.headers), body))
            if drip:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(100):
                    self.wfile.write(b"X-More: 1\r\n")
                    self.wfile.flush()
                    time.sleep(0.1)
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.handle_error = lambda *_: None  # who was cut off is no error of this test
        made.daemon_threads = True
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}/hook?team=1", received
        made.shutdown()


def hook(url, *, seconds=2.0):
    return webhook.hook("URL", "KEY", {"URL": url, "KEY": SECRET}, seconds=seconds)


def filled(home, *messages):
    with outbox.opened(home) as box:
        box.take_in(messages, [m.lead_id for m in messages], "card", sent=True)


def deliver(home, url, **given):
    with outbox.opened(home) as box:
        return delivery.deliver(box, hook(url, **given), now=lambda: NOON)


def test_the_signature_is_that_of_the_published_example():
    """Svix's example of the scheme (docs.svix.com, "Verifying webhooks manually")."""
    secret = base64.b64decode("plJ3nmyCDGBKInavdOK15jsl")
    body = '{"event_type":"ping","data":{"success":true}}'
    signed = webhook.signature(secret, "msg_loFOjxBNrRLzqYUf", 1731705121, body)
    assert signed == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_a_key_is_of_lead_threshold_and_day_and_of_nothing_else():
    key = message().key
    assert message(at=NOON.replace(hour=0)).key == key
    assert message(at=NOON.replace(hour=23, minute=59)).key == key
    others = [message(lead="L2"), message(threshold=51.0), message(at=NOON + timedelta(hours=12))]
    assert len({key, *(other.key for other in others)}) == 4


def test_a_message_arrives_signed_with_its_key(tmp_path):
    filled(tmp_path, message("Ångström"))
    with server(200) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(1, 0)
    [(path, headers, body)] = received
    assert path == "/hook?team=1"
    told = json.loads(body)
    assert told["type"] == "lead.mql"
    assert told["data"] == {
        "lead_id": "Ångström",
        "points": 62.5,
        "threshold": 50.0,
        "as_of": "2026-06-30T12:00:00+00:00",
        "key": headers["webhook-id"],
    }
    signed = webhook.signature(
        bytes(range(32)), headers["webhook-id"], int(headers["webhook-timestamp"]), body.decode()
    )
    assert headers["webhook-signature"] == signed


def test_a_server_that_fails_twice_gets_the_same_key_until_it_takes_the_message(tmp_path):
    filled(tmp_path, message())
    with server(500, 503, 200) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(1, 0)
        assert deliver(tmp_path, url) == delivery.Round(0, 0)
    assert [headers["webhook-id"] for _, headers, _ in received] == [message().key] * 3


def test_what_nobody_takes_waits_for_the_next_round(tmp_path):
    filled(tmp_path, message("L1"), message("L2"))
    with server(500) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(0, 2)
    assert len(received) == delivery.ATTEMPTS  # the second message waits, too: the server is down
    with server(204) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(2, 0)
    assert {json.loads(body)["data"]["lead_id"] for *_, body in received} == {"L1", "L2"}


def test_a_message_that_is_refused_holds_no_other_back(tmp_path):
    filled(tmp_path, message("L1"), message("L2"))
    with server(400, 200) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(1, 1)
    assert len(received) == 2


def test_a_redirect_is_not_followed(tmp_path):
    filled(tmp_path, message())
    with server(200) as (elsewhere, never), server(307, location=elsewhere) as (url, received):
        assert deliver(tmp_path, url) == delivery.Round(0, 1)
    assert (len(received), never) == (1, [])


def test_a_server_that_drips_is_cut_off_in_time(tmp_path):
    filled(tmp_path, message())
    start = time.monotonic()
    with server(200, drip=True) as (url, _):
        assert deliver(tmp_path, url, seconds=0.5) == delivery.Round(0, 1)
    assert time.monotonic() - start < 4


def test_a_port_that_nobody_listens_at_is_no_error(tmp_path):
    filled(tmp_path, message())
    assert deliver(tmp_path, "http://127.0.0.1:9/") == delivery.Round(0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "https://user:word@example.org/",
        "https://",
        "https://example.org:99999/",
        "example.org",
        "https://example.org/a b",
        "https://example.org/ü",
    ],
)
def test_an_address_that_is_not_safe_is_refused_and_not_shown(url):
    with pytest.raises(ParameterError) as refused:
        hook(url)
    assert "example" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://example.org/h", "http://localhost:1/", "http://[::1]:1/"])
def test_https_and_this_machine_are_safe(url):
    assert "example" not in repr(hook(url))


@pytest.mark.parametrize("key", ["", "s3cr3t", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_")])
def test_a_secret_that_is_short_or_of_another_form_is_refused_and_not_shown(key):
    with pytest.raises(ParameterError) as refused:
        webhook.hook("URL", "KEY", {"URL": "https://example.org", "KEY": key}, seconds=1)
    assert key in webhook.SECRET_PREFIX or key not in str(refused.value)


def test_the_outbox_has_each_key_once_and_is_its_owners_alone(tmp_path):
    with outbox.opened(tmp_path) as box:
        assert box.above("card") is None
        assert box.take_in([message()], ["L1"], "card", sent=True) == 1
        later = message(at=NOON + timedelta(hours=3))
        assert box.take_in([later, message("L2")], ["L1", "L2"], "card", sent=True) == 1
        assert box.above("card") == {"L1", "L2"}
        assert box.above("other card") is None
        assert len(box.waiting()) == 2
    assert stat.S_IMODE((tmp_path / outbox.FILE).stat().st_mode) == 0o600


def test_what_is_not_to_be_sent_waits_for_no_server(tmp_path):
    with outbox.opened(tmp_path) as box:
        box.take_in([message()], ["L1"], "card", sent=False)
        assert box.waiting() == []


def test_an_old_message_goes_once_nobody_waits_for_it(tmp_path):
    with outbox.opened(tmp_path) as box:
        box.take_in([message("L1"), message("L2")], [], "card", sent=True)
        box.answered(message("L1").key, "200", delivered_at=NOON)
        box.tidy(NOON + timedelta(days=outbox.KEPT_DAYS))
        assert box.erase(["L1"]) == 1  # it was there still
        box.take_in([message("L1")], [], "card", sent=True)
        box.answered(message("L1").key, "200", delivered_at=NOON)
        box.tidy(NOON + timedelta(days=outbox.KEPT_DAYS + 1))
        assert box.erase(["L1", "L2"]) == 1


def test_an_erased_lead_is_nowhere_in_the_file(tmp_path):
    filled(tmp_path, message("Zebediah"), message("L2"))
    assert b"Zebediah" in (tmp_path / outbox.FILE).read_bytes()
    with outbox.opened(tmp_path) as box:
        assert box.erase(["Zebediah"]) == 1
        assert len(box.waiting()) == 1
        assert box.above("card") == {"L2"}
    assert b"Zebediah" not in (tmp_path / outbox.FILE).read_bytes()


def test_a_damaged_outbox_is_told_as_one(tmp_path):
    (tmp_path / ".leadrank").mkdir()
    (tmp_path / outbox.FILE).write_bytes(b"no database" * 100)
    with pytest.raises(StorageError), outbox.opened(tmp_path):
        pass


def test_an_erased_lead_leaves_the_outbox_and_no_outbox_is_made_for_it(tmp_path):
    assert outbox.forget(tmp_path, ["L1"]) == 0
    assert not (tmp_path / outbox.FILE).exists()
    with outbox.opened(tmp_path) as box:
        box.take_in([message("L1"), message("L2")], ["L1", "L2"], "card", sent=False)
    assert outbox.forget(tmp_path, ["L1"]) == 1
    assert b"L1" not in (tmp_path / outbox.FILE).read_bytes()
    assert b"L2" in (tmp_path / outbox.FILE).read_bytes()
