"""From which address a request comes, as limits count it: the peer's, unless a proxy of ours names another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_KNOWN = 2_000
"""Addresses that are remembered as they were found: a kept connection asks again and again."""
_KNOWN_LENGTH = 200
"""Longer headers are not remembered: they are no list of proxies."""
_PREFIX = 64
"""Bits of an IPv6 address that count: whoever has one has all of its network, 2⁶⁴ of them."""


class ClientAddresses:
    """Believes `X-Forwarded-For` from the given addresses and networks, and from nobody else."""

    def __init__(self, trusted_proxies: Iterable[str] = ()) -> None:
        """Raises ValueError for what is neither an address nor a network."""
        self._networks = [ip_network(proxy, strict=False) for proxy in trusted_proxies]
        self._key = lru_cache(maxsize=_KNOWN)(self._find_key)

    def find(self, peer: str | None, forwarded_for: Sequence[str]) -> Address | None:
        """The client's address; None where the peer has none. `forwarded_for`: the headers of that name, in their order.

        Each proxy appends the address it was asked from. So the list is read from its end, as long as those who wrote it are
        trusted: what stands before the first stranger is the stranger's own word. An entry that cannot be read ends it, too.
        """
        address = _parse(peer or "")
        if address is None or not self._is_trusted(address):
            return address
        for entry in reversed(",".join(forwarded_for).split(",")):
            hop = _parse(_without_port(entry.strip()))
            if hop is None:
                break
            address = hop
            if not self._is_trusted(hop):
                break
        return address

    def key(self, peer: str | None, forwarded_for: Sequence[str]) -> str | None:
        """The same, as limits tell addresses apart: IPv6 by its network."""
        if not self._networks:
            forwarded_for = ()
        if sum(map(len, forwarded_for)) > _KNOWN_LENGTH:
            return self._find_key(peer, tuple(forwarded_for))
        return self._key(peer, tuple(forwarded_for))

    def _find_key(self, peer: str | None, forwarded_for: tuple[str, ...]) -> str | None:
        address = self.find(peer, forwarded_for)
        if isinstance(address, IPv6Address):
            return str(IPv6Network((int(address) >> _PREFIX << _PREFIX, _PREFIX)))
        return str(address) if address is not None else None

    def _is_trusted(self, address: Address) -> bool:
        return any(_contains(network, address) for network in self._networks)


def _contains(network: IPv4Network | IPv6Network, address: Address) -> bool:
    return address.version == network.version and address in network


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _without_port(entry: str) -> str:
    """`192.0.2.1:80` and `[2001:db8::1]:80` as well as either without a port."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
