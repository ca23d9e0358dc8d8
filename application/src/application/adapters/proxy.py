"""Which proxy a URL is reached by, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


@lru_cache(maxsize=64)
def proxy_of(url: str) -> str | None:
    """The proxy's URL; None where there is none, and for this machine, whatever NO_PROXY says."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
