from __future__ import annotations

import pytest

from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.http.conn_upgrade_switch import VARIABLE, decided


@pytest.mark.parametrize(
    ("value", "decision"),
    [
        ("", None),
        ("true", True),
        ("YES", True),
        ("0", False),
        ("proxy.example.com:443=1", True),
        ("0;proxy.example.com:443=on", True),
        ("yes,proxy.example.com:443=no", False),
        ("proxy.example.com:443=no,yes", False),
        ("other.example.com:443=true", False),
        ("other.example.com:443=true,yes", True),
        ("PROXY.example.com:443 = yes", True),
        ("perhaps", False),
    ],
)
def test_as_teleports_clients_read_it(value, decision):
    assert decided(Address("proxy.example.com", 443), {VARIABLE: value}) is decision
