"""A cluster in the test's own loop, and gRPC clients that speak to it as Teleport's own do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.front.ca import SERVER_NAME, Credentials

Connect = Callable[..., grpc.aio.Channel]


@pytest.fixture
async def cluster() -> AsyncIterator[SandboxCluster]:
    async with SandboxCluster(seed=7) as made:
        yield made


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """``connect(cluster)``, ``connect(cluster, credentials)``, ``connect(cluster, permissions=...)``: a channel."""
    async with AsyncExitStack() as open_channels:
        count = 0

        def channel(
            cluster: SandboxCluster, credentials: Credentials | None = None, **options: Any
        ) -> grpc.aio.Channel:
            nonlocal count
            count += 1
            who = credentials or cluster.credentials(**options)
            made = grpc.aio.secure_channel(
                cluster.addr,
                grpc.ssl_channel_credentials(who.authorities, who.key, who.certificate),
                options=[
                    ("grpc.ssl_target_name_override", SERVER_NAME),
                    ("grpc.max_receive_message_length", -1),
                    ("grpc.use_local_subchannel_pool", 1),  # else channels to one address share a connection
                    ("grpc.enable_http_proxy", 0),
                    ("grpc.initial_reconnect_backoff_ms", 50),
                    ("grpc.min_reconnect_backoff_ms", 5000),  # the limit of each attempt
                    ("grpc.max_reconnect_backoff_ms", 200),
                ],
            )
            open_channels.push_async_callback(made.close)
            return made

        yield channel
