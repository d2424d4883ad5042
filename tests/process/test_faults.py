"""Faults around a real process: a full disk for its log, and a cluster and a mail server that come late."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest


def log_to(place: Any, output: str) -> None:
    configuration = place.sandbox.configuration
    configuration.write_text(configuration.read_text().replace('output = "stderr"', f'output = "{output}"'))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
async def test_a_full_disk_for_the_log_stops_no_mail(place: Any) -> None:
    log_to(place, "/dev/full")
    daemon = await place.start(ready=False)
    request = await place.cluster.create(user="alice")
    await place.told(request.id)
    await place.cluster.approve(request.id)
    await place.inbox.wait_for(10, timeout=60)
    await place.told(request.id)
    daemon.process.send_signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert place.twins() == 0


async def test_a_daemon_that_is_there_before_the_cluster_and_the_mail_server(place: Any) -> None:
    place.cluster.faults.unreachable = True
    await place.inbox.stop_listening()
    daemon = await place.start(ready=False)
    await daemon.says("cluster not reached")
    place.cluster.faults.unreachable = False
    await daemon.says("Plugin is ready")
    request = await place.cluster.create(user="alice")
    await place.cluster.wait_for(lambda: "ledger" in place.cluster.plugin_data(request.id), timeout=60)
    await place.inbox.listen_again()
    await place.told(request.id)
    assert len(place.counts()) == 5
    assert place.twins() == 0


async def test_what_ends_it_stands_in_the_log_file_too(place: Any, tmp_path: Path) -> None:
    log_to(place, str(tmp_path / "daemon.txt"))
    (place.sandbox.options.directory / "identity").write_text("not an identity")
    daemon = await place.start(ready=False)
    assert await daemon.ended() == 78
    [line] = [one for one in (tmp_path / "daemon.txt").read_text().splitlines() if "cannot go on" in one]
    assert "identity" in line
    assert "ERROR" in line


async def test_what_ends_it_stands_in_the_collector_s_json_too(place: Any) -> None:
    configuration = place.sandbox.configuration
    configuration.write_text(configuration.read_text().replace("[log]", '[log]\nformat = "json"'))
    (place.sandbox.options.directory / "identity").unlink()
    daemon = await place.start(ready=False)
    assert await daemon.ended() == 78
    said = [json.loads(line) for line in daemon.log.read_text().splitlines() if line.startswith("{")]
    [end] = [each for each in said if each["event"] == "cannot go on"]
    assert end["level"] == "error"
    assert "identity does not exist" in end["error"]
