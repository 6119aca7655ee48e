"""The page under load: ``python -m tests.benches.page FOLDER [--leads 1000000] [--users 50] [--think 5]``.

In FOLDER a run of so many leads is drawn (once; no training), its index made, and the page served by a
process of its own. Users of different territories then ask for lists (other filters and orders each time)
and for leads. Told are p50, p95 and p99 by page, errors, and the memory of the server before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console

from serve import runs
from tests.benches.made_run import TERRITORIES, publish
from tests.benches.report import conditions

WAIT = 1800
SERIES = ("minute", "answered")
"""When each request began, and its seconds: a minute in which the host was busy shows by itself."""
AT = datetime(2026, 7, 1, 9, tzinfo=UTC)
LISTS = (
    "/", "/?sort=last_touch_at", "/?grade=A1&sort=score&direction=asc", "/?source=source+3&sort=change",
    "/?stage=sql&tag=high_value", "/?changed=up&sort=expected_value", "/?route=call_now&offset=450",
    "/?q=company+77", "/?q=muster&sort=name", "/?calls=1",
)  # fmt: skip


def serve(folder: Path, port: int, users: int) -> None:
    """Serve the folder, and write the sessions of its users and ids of leads into ``clients.json``."""
    import uvicorn

    from serve.state.store import opened
    from serve.state.users import Role
    from serve.views.following import Following
    from serve.views.listing import Asked, page
    from serve.web.app import create_app
    from serve.web.place import Place
    from serve.web.settings import Settings

    home = folder / f"state-{port}"
    home.mkdir()
    store = opened(home)
    following = Following(folder / "runs", folder / "pages", is_apart=True)
    start = time.perf_counter()
    index = following.prepare()
    if index is None:
        raise SystemExit("no run")
    made = time.perf_counter() - start
    place = Place(following, store, Settings(public_url=f"http://127.0.0.1:{port}"), lambda: AT, home)
    clients = []
    for number in range(users):
        names = [f"Territory {(number + more) % TERRITORIES}" for more in range(1 + number % 3)]
        role, at = (Role.ANALYST, []) if number % 5 == 0 else (Role.REP, names)
        user = store.users.add(f"user{number}", role, password="x" * 20, territories=at, at=AT, by="bench")
        token = store.sessions.start(user.user_id, AT, minutes=600)
        from serve.web.rules import scope_of

        listed = page(index, scope_of(user, place), Asked(size=200))
        clients.append({"token": token, "leads": [row["lead_id"] for row in listed.rows]})
    (folder / "clients.json").write_text(json.dumps({"clients": clients, "made": made}))
    uvicorn.run(create_app(place), host="127.0.0.1", port=port, log_level="warning", access_log=False)


async def use(
    client: httpx.AsyncClient, user: dict, told: dict, *, requests: int, think: float, seed: int
) -> None:
    """One user: three lists and then a lead, with a pause before each."""
    draw = random.Random(seed)  # noqa: S311
    headers = {"Cookie": f"leadrank={user['token']}"}
    for number in range(requests):
        await asyncio.sleep(draw.random() * 2 * think)
        is_lead = number % 4 == 3
        path = f"/leads/{draw.choice(user['leads'])}" if is_lead else draw.choice(LISTS)
        kind = "lead" if is_lead else "search" if "q=" in path else "list"
        start = time.perf_counter()
        try:
            answer = await client.get(path, headers=headers)
            told[kind].append(time.perf_counter() - start)
            told["minute"].append(start // 60)
            told["answered"].append(told[kind][-1])
            told["bytes"].append(len(answer.content))
            if answer.status_code != 200:
                told[f"status {answer.status_code} of {kind}"].append(0)
        except httpx.HTTPError as error:
            told[f"{type(error).__name__}"].append(0)


async def load(address: str, clients: list[dict], *, requests: int, think: float) -> dict[str, list[float]]:
    """All users at once; the seconds by kind of page."""
    told: dict[str, list[float]] = defaultdict(list)
    limits = httpx.Limits(max_connections=len(clients) + 10)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        each = requests // len(clients)
        await asyncio.gather(
            *(use(client, user, told, requests=each, think=think, seed=n) for n, user in enumerate(clients))
        )
    return told


def memory(pid: int) -> float:
    """Resident MiB of a process."""
    text = Path(f"/proc/{pid}/statm").read_text().split()
    return int(text[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def work(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stolen() -> float:
    """Seconds of processor time so far that the host gave to others, of all processors."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Draw, serve, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--think", type=float, default=5.0)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.folder, given.serve, given.users)
        return
    if runs.current_or_none(given.folder / "runs") is None:
        publish(given.folder / "runs", given.leads)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (given.folder / "clients.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benches.page", str(given.folder), "--serve", str(port)]
    command += ["--users", str(given.users)]
    with (
        (given.folder / "server.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, server)
            told_of = json.loads((given.folder / "clients.json").read_text())
            asyncio.run(load(address, told_of["clients"], requests=4 * given.users, think=0.2))
            before, busy = memory(server.pid), work(server.pid)
            start, away = time.perf_counter(), stolen()
            told = asyncio.run(load(address, told_of["clients"], requests=given.requests, think=given.think))
            seconds, busy = time.perf_counter() - start, work(server.pid) - busy
            _tell(told, seconds, busy, (before, memory(server.pid)), told_of["made"])
            _tell_minutes(told, (stolen() - away) / seconds)
        finally:
            server.terminate()


def _wait(address: str, server: subprocess.Popen) -> None:
    until = time.perf_counter() + WAIT
    while time.perf_counter() < until and server.poll() is None:
        try:
            if httpx.get(f"{address}/api/v1/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit("the page did not start")


def _tell(told: dict, seconds: float, busy: float, memories: tuple[float, float], made: float) -> None:
    say = Console(highlight=False, soft_wrap=True).print
    counts = {kind: len(values) for kind, values in told.items() if kind not in {"bytes", *SERIES}}
    requests = sum(len(told[kind]) for kind in ("list", "search", "lead"))
    say(f"{requests} requests in {seconds:.0f} s; index ready after {made:.1f} s")
    say(f"{1000 * busy / requests:.0f} ms of processor time a request")
    for kind in ("list", "search", "lead"):
        if told[kind]:
            p50, p95, p99 = (1000 * np.percentile(told[kind], share) for share in (50, 95, 99))
            say(f"{kind:7} n={len(told[kind]):5}  p50 {p50:6.0f} ms  p95 {p95:6.0f} ms  p99 {p99:6.0f} ms")
    say("errors:", {kind: n for kind, n in counts.items() if kind not in {"list", "search", "lead"}})
    say(f"memory of the server: {memories[0]:.0f} MiB before, {memories[1]:.0f} MiB after")
    say(f"largest answer: {max(told['bytes']) / 1024:.0f} KiB, unpacked")
    say(conditions())


def _tell_minutes(told: dict, away: float) -> None:
    minutes, seconds = (np.array(told[name]) for name in SERIES)
    found = [1000 * np.percentile(seconds[minutes == one], 95) for one in np.unique(minutes)]
    said = " ".join(f"{one:.0f}" for one in found)
    print(f"p95 of all pages by minute: {said} ms; the host took {away:.2f} processors away")  # noqa: T201


if __name__ == "__main__":
    main()
