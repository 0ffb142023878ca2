"""Whose address counts: the peer's, or what proxies of ours say."""

from __future__ import annotations

import pytest

from app.client_address import ClientAddresses

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.9", "198.51.100.1", "10.1.2.3"], "198.51.100.1"),
        ("127.0.0.1", ["10.1.2.3, 10.9.9.9"], "10.1.2.3"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, nonsense, 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1,"], "127.0.0.1"),
        ("10.250.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.250.0.1", ["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
        ("2001:db8:ffff::1", ["2001:db8:1:2:ffff:ffff:ffff:ffff"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", ["198.51.100.1"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.1"], None),
        ("testclient", [], None),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours(peer: str | None, forwarded_for: list[str], expected: str | None) -> None:
    assert ClientAddresses(TRUSTED).key(peer, forwarded_for) == expected


def test_nobody_is_believed_by_default() -> None:
    assert ClientAddresses().key("127.0.0.1", ["198.51.100.1"]) == "127.0.0.1"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        ClientAddresses(["proxy.example"])
