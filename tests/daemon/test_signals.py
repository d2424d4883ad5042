"""Real signals, sent to this very process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from teleport_email.daemon.signals import Signals, ignore_hangup


@pytest.fixture(autouse=True)
def handlers_come_back() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    after = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert after == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_asks_to_stop_the_second_ends_at_once(number: signal.Signals) -> None:
    stopped = asyncio.Event()
    with Signals() as signals:
        signals.listen(stop=stopped.set, reload=pytest.fail)
        assert signals.asked_to_stop == ""
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 60)
        assert signals.asked_to_stop == number.name
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


async def test_each_hangup_reloads() -> None:
    reloads: asyncio.Queue[None] = asyncio.Queue()
    with Signals() as signals:
        signals.listen(stop=pytest.fail, reload=lambda: reloads.put_nowait(None))
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(reloads.get(), 60)
    assert reloads.empty()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
async def test_what_the_go_plugin_ignores_does_nothing(number: signal.Signals) -> None:
    with Signals() as signals:
        signals.listen(stop=pytest.fail, reload=pytest.fail)
        os.kill(os.getpid(), number)  # without a handler it would have ended the tests
        await asyncio.sleep(0)
        assert signals.asked_to_stop == ""


async def test_what_came_too_early_is_kept() -> None:
    stopped, reloaded = asyncio.Event(), asyncio.Event()
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        signals.listen(stop=stopped.set, reload=reloaded.set)
        await asyncio.wait_for(stopped.wait(), 60)
        await asyncio.wait_for(reloaded.wait(), 60)


def test_a_signal_after_the_loop_is_closed_does_no_harm() -> None:
    async def listen(signals: Signals) -> None:
        signals.listen(stop=lambda: None, reload=lambda: None)

    with Signals() as signals:
        asyncio.run(listen(signals))
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.asked_to_stop == "SIGTERM"


def test_a_hangup_can_be_survived_from_the_first_moment() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)}
    ignore_hangup()
    for number, handler in before.items():
        os.kill(os.getpid(), number)
        signal.signal(number, handler)


BUSY = """
import os, sys, time
from teleport_email.daemon.signals import Signals
with Signals() as signals:
    print("up", flush=True)
    while not signals.asked_to_stop:
        pass
    print("asked", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_even_a_busy_process(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(number)
        assert process.wait(50) == -number, "it did not sleep on"
