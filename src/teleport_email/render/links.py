"""Addresses of pages of the cluster's web UI. Pure.

In: what ``Ping`` tells of the Proxy, names as they came. Out: addresses that lead to that Proxy and nowhere
else, or nothing where there can be none.
"""

from __future__ import annotations

import re

from teleport_email.core.model import ClusterInfo
from teleport_email.render import quoting

_PROXY = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def request_link(cluster: ClusterInfo, request_id: str) -> str:
    """The page where the request is reviewed; empty where the cluster has none. No ``:443`` in it."""
    segment = quoting.path_segment(request_id)
    web = _web(cluster)
    return f"{web}/requests/{segment}" if cluster.advanced_access_workflows and segment and web else ""


def lists_link(cluster: ClusterInfo) -> str:
    """The page with all Access Lists; empty where no Proxy is known."""
    web = _web(cluster)
    return f"{web}/accesslists" if web else ""


def list_link(cluster: ClusterInfo, name: str) -> str:
    """The page where the Access List is reviewed; that of all lists where its name is no part of a path."""
    page = lists_link(cluster)
    segment = quoting.path_segment(name)
    return f"{page}/{segment}#review" if page and segment else page


def _web(cluster: ClusterInfo) -> str:
    proxy = cluster.proxy_public_addr.removesuffix(":443")
    return f"https://{proxy}/web" if _PROXY.fullmatch(proxy) else ""
