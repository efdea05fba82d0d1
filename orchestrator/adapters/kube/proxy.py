"""The proxy that the environment names for an API server, as curl and kubectl read it."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Return the proxy of HTTPS_PROXY or HTTP_PROXY for `url`; None where NO_PROXY has its host.

    Looked up once: the HTTP library would do so in a thread for each request, and would send what
    a .netrc has for the host instead of the credentials of the cluster.
    """
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
