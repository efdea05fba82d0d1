"""Checks of an advert that take the configuration of the virtual router (RFC 9568 7.1)."""

from __future__ import annotations

import hmac

from orchestrator.layer2.frames.vrrp import Advert, Packet, Rejection
from orchestrator.layer2.routers.adverts import Adverts, group_of
from orchestrator.model.virtual_router import VirtualRouter


def refusal(
    router: VirtualRouter, own: Adverts, packet: Packet, advert: Advert
) -> Rejection | None:
    """Return why `router` does not look at an advert that is well-formed; None when it does.

    A list of addresses or, in version 3, an interval that differs is no reason (RFC 9568 7.1).
    """
    if packet.source in own.own:
        return Rejection.OWN_ADVERT
    if advert.version != router.version:
        return Rejection.OTHER_VERSION
    return _way(router, packet) or _version_2(router, advert)


def _way(router: VirtualRouter, packet: Packet) -> Rejection | None:
    if not router.unicast_peers:
        return None if packet.target == group_of(router) else Rejection.TRANSPORT
    if packet.target.is_multicast:
        return Rejection.TRANSPORT
    return None if packet.source in router.unicast_peers else Rejection.UNKNOWN_PEER


def _version_2(router: VirtualRouter, advert: Advert) -> Rejection | None:
    if router.version != 2:
        return None
    if (advert.password is None) != (router.password is None):
        return Rejection.AUTHENTICATION_TYPE
    given, meant = (advert.password or "").encode(), (router.password or "").encode()
    if not hmac.compare_digest(given, meant):
        return Rejection.PASSWORD
    if advert.interval_ms != router.advert_interval_ms:
        return Rejection.OTHER_INTERVAL
    return None
