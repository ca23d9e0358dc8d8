"""Which hosts and addresses a URL source may ask: the transport refuses every other request.

A host is resolved once per request, and the connection goes to the very address that was checked,
so a name that resolves otherwise a moment later (DNS rebinding) gains nothing. Redirects are
requests like any other.
"""

import ipaddress
import socket
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import httpx

GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # leaves out mapped IPv4, NAT64, ULA, link-local
TUNNELS = [ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32")]  # carry an IPv4
METADATA = {"169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class Forbidden(httpx.TransportError):
    """A URL that this source may not ask."""


@dataclass(frozen=True)
class HostGuard:
    """The hosts of a source, and whether private and loopback addresses are wanted."""

    hosts: frozenset[str]
    private_addresses: bool = False

    def check_url(self, url: httpx.URL) -> None:
        """Raise Forbidden for another scheme than HTTP's, or another host."""
        if url.scheme not in ("http", "https"):
            raise Forbidden(f"{url.scheme} is not asked, only http and https")
        if url.host not in self.hosts:
            raise Forbidden(f"the host {url.host} is not among the source's hosts")

    def check_address(self, text: str) -> None:
        """Raise Forbidden for an address that is not public, or one that serves credentials."""
        address = ipaddress.ip_address(text.partition("%")[0])
        allowed = _is_public(address) or (self.private_addresses and _is_private(address))
        if not allowed or str(address) in METADATA:
            raise Forbidden(f"its address {address} is private, or serves machines' metadata")


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        in_tunnel = any(address in network for network in TUNNELS)
        return address.is_global and address in GLOBAL_IPV6 and not in_tunnel
    return address.is_global and not address.is_multicast


def _is_private(address: Address) -> bool:
    special = address.is_link_local or address.is_unspecified or address.is_multicast
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped
    return address.is_private and not special and not mapped


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as the machine resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class GuardedTransport(httpx.BaseTransport):
    """Sends what the guard allows, to the address that it checked, with the host's own name."""

    def __init__(
        self,
        guard: HostGuard,
        resolve: Resolve = resolve,
        inner: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport,
    ) -> None:
        self._guard = guard
        self._resolve = resolve
        # One a host: a connection whose certificate was checked for one is not used for another.
        self._inner: defaultdict[str, httpx.BaseTransport] = defaultdict(inner)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Forbidden before anything is sent."""
        url = request.url
        self._guard.check_url(url)
        host, port = url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"the host {host} cannot be resolved") from error
        for address in addresses:
            self._guard.check_address(address)
        bound = httpx.Request(
            request.method,
            url.copy_with(host=addresses[0]),
            headers=request.headers,  # with the Host of the URL
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner[host].handle_request(bound)

    def close(self) -> None:
        """Close every connection."""
        for transport in self._inner.values():
            transport.close()
