"""Witnesses as processes: served, killed at every step and at random, and asked by real logs."""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from log_factories import ORIGIN as LOG_ORIGIN
from witness_nursery import STEPS, check, prepare
from witness_tools import NAME, ORIGIN, Operator, new_witness

import cli
from provenance.clock import system_clock
from provenance.notes.checkpoint import parse_line, parse_note
from provenance.notes.cosignature import check_line

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
LOG = Operator()
NURSERY = Path(__file__).with_name("witness_nursery.py")
PROGRAM = [sys.executable, "-m", "cli"]


@contextmanager
def process(*command: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server as a process; yields it with the address that it tells."""
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
    ) as running:
        assert running.stdout is not None
        found = re.search(r"http://[\d.:]+", running.stdout.readline())
        assert found is not None
        try:
            yield running, found[0]
        finally:
            running.kill()


class Ran(NamedTuple):
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: object) -> Ran:
    """Run one command of the program to its end, in this process: only servers need their own."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["provenance", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    return Ran(code, out.getvalue(), err.getvalue())


def ask(address: str, body: bytes) -> httpx.Response:
    """Ask a witness as a log does."""
    return httpx.post(f"{address}/add-checkpoint", content=body, timeout=30)


def test_a_witness_that_dies_at_any_step_keeps_its_word(tmp_path: Path) -> None:
    """Whoever dies before, in or after any step of cosigning remembers the old state or the new
    one, cosigns the same checkpoint when asked again, and never another history.
    """
    done = subprocess.run(
        [sys.executable, NURSERY, "steps", tmp_path],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2 * len(STEPS)


@pytest.mark.parametrize(("step", "when"), [("rename", "after"), ("reply", "before")])
def test_a_witness_killed_between_memory_and_answer(tmp_path: Path, step: str, when: str) -> None:
    """SIGKILL once the checkpoint is remembered: no answer, but what was remembered binds it."""
    prepare(tmp_path / "w")
    command = [sys.executable, NURSERY, "serve", tmp_path / "w", step, when]
    with process(*command) as (running, address):
        with pytest.raises(httpx.TransportError):
            ask(address, LOG.request(5, 9))
        assert running.wait(30) == -signal.SIGKILL
    check(tmp_path / "w", step, when)


def test_a_witness_killed_at_random_has_cosigned_one_history(tmp_path: Path) -> None:
    """An operator shows two histories, while the witness is killed amid requests and started
    again: all that it ever cosigned lies on one of them.
    """
    witness = new_witness(tmp_path / "w", LOG.key.vkey, clock=system_clock)
    rng = random.Random(5)
    cosigned: set[tuple[int, int | None]] = set()
    for _ in range(2):
        with process(*PROGRAM, "witness", "serve", tmp_path / "w", "--port", "0") as (one, at):
            for request in range(10):
                if request == 9:
                    threading.Timer(rng.uniform(0, 0.03), one.kill).start()
                fork = rng.choice([None, 4])
                old = witness.last(ORIGIN)[0].size
                size = old + rng.randrange(3)
                with suppress(httpx.TransportError):
                    answer = ask(at, LOG.request(old, size, fork))
                    if answer.status_code == 200:
                        cosigned.add((size, fork))
                        text = parse_note(LOG.note(size, fork)).text
                        check_line(parse_line(answer.text[:-1]), witness.key.verifier, text)
    assert len(cosigned) > 4
    assert len({fork for size, fork in cosigned if size > 4}) == 1


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that was made by the program."""
    place: Path = tmp_path_factory.mktemp("made") / "log"
    assert run("init", "--data", place, "--origin", LOG_ORIGIN).returncode == 0
    return place


def test_the_whole_way_with_processes(tmp_path: Path, workspace: Path) -> None:
    """Witness made, followed, served; the log collects, shows and proves; a fork is refused."""
    data = ["--data", workspace]
    vkey = (workspace / "log.policy").read_text().split()[1]
    places = [tmp_path / "w0", tmp_path / "w1"]
    for number, place in enumerate(places):
        made = run("witness", "init", place, "--name", f"witness.example/p{number}")
        assert "public key" in made.stdout
        followed = run("witness", "follow", place, vkey)
        assert f"follows {LOG_ORIGIN} (keys: 1), cosigned up to 0 entries" in followed.stdout
    with (
        process(*PROGRAM, "witness", "serve", places[0], "--port", "0") as (_, first),
        process(*PROGRAM, "witness", "serve", places[1], "--port", "0") as (_, second),
    ):
        keys = [httpx.get(address).text.split()[0] for address in (first, second)]
        (workspace / "log.policy").write_text(
            f"log {vkey}\nwitness a {keys[0]} {first}\nwitness b {keys[1]} {second}\n"
            "group both all a b\nquorum both\n"
        )
        done = run("witness", "collect", *data)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("COSIGNED") == 2
        after = run("log", "status", *data).stdout
        assert "quorum       met; it covers" in after
        assert "unwitnessed" not in after
        assert _verified(workspace, tmp_path / "good.json") == "OK"
        (places[1] / "witness.toml").write_text('name = "witness.example/p1"\n')
        _ingest(workspace, tmp_path)
        kept = shutil.copy(workspace / "checkpoint", tmp_path / "kept")
        done = run("witness", "collect", *data)
        assert done.returncode == 1
        assert "COSIGNED  a" in done.stdout
        assert "does not follow this log" in done.stdout
        told = run("log", "status", *data).stdout
        assert "not met for the newest checkpoint; it covers 1 entries" in told
        assert "unwitnessed  since entry 1 of 20" in told
        for words, warned in ((("#0",), False), (("#1",), True), (("#0", "--older", kept), True)):
            done = run("proof", *data, *words, "--output", tmp_path / "proof.json")
            assert done.returncode == 0
            assert ("too few witnesses" in done.stderr) == warned
    assert run("verify", *data).returncode == 0


def _verified(workspace: Path, bundle: Path) -> str:
    """Prove entry 0; returns the verdict on its witnesses."""
    assert run("proof", "--data", workspace, "#0", "--output", bundle).returncode == 0
    told = run("verify", "--bundle", bundle, "--policy", workspace / "log.policy").stdout
    (verdict,) = [line.split()[0] for line in told.splitlines() if " witnessed " in line]
    return verdict


def _ingest(workspace: Path, place: Path) -> None:
    events = place / "events.csv"
    events.write_text(
        "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"
        "N-1,2025-11-01T08:00:00Z,produce,F-FARM,COTTON,C-2,500\n"
    )
    done = run("ingest", events, "--data", workspace)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_asks_witnesses_by_itself(tmp_path: Path, workspace: Path) -> None:
    """`serve` has new entries cosigned soon after they come, and a monitor follows it."""
    vkey = (workspace / "log.policy").read_text().split()[1]
    witness = new_witness(tmp_path / "w", vkey, clock=system_clock)
    with process(*PROGRAM, "witness", "serve", tmp_path / "w", "--port", "0") as (_, address):
        (workspace / "log.policy").write_text(
            f"log {vkey}\nwitness w {witness.key.vkey} {address}\nquorum w\n"
        )
        with process(*PROGRAM, "serve", "--data", workspace, "--port", "0") as (server, at):
            deadline = time.monotonic() + 30
            while f"\u2014 {NAME} " not in httpx.get(f"{at}/checkpoint").text:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            (tmp_path / "policy").write_text(f"log {vkey}\nquorum none\n")
            look = ("monitor", at, "--policy", tmp_path / "policy", "--state", tmp_path / "m")
            done = run(*look, "--once", "--entries")
            assert done.returncode == 0, done.stdout
            assert "GREW" in done.stdout
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
    assert witness.last(LOG_ORIGIN)[0].size > 0
