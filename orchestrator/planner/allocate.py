"""Allocation: which addresses each Service has, is given, or why it gets none (metallb.md 3.2).

What is held stays: all held addresses are taken up before any new request is looked at, and a new
request that cannot be met costs nothing (CLI.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from orchestrator.model.address import IPAddress, family_of
from orchestrator.model.cluster import FamilyPolicy, Service, ServiceKey
from orchestrator.model.local import Local
from orchestrator.model.plan import Assignment, AssignmentState, Reason
from orchestrator.model.policy import Policy, Pool
from orchestrator.model.selector import Labels
from orchestrator.planner import allocation_events as events
from orchestrator.planner.choice import Addresses, Choice, choose, listed, ordered
from orchestrator.planner.exchange import exchange
from orchestrator.planner.ledger import Ledger, Refusal
from orchestrator.planner.pools import PoolOrder
from orchestrator.planner.world import VIRTUAL_IP_NAMESPACE


def allocate(
    services: Mapping[ServiceKey, Service],
    policy: Policy,
    namespaces: Mapping[str, Labels],
    local: Local,
) -> tuple[Assignment, ...]:
    """Assign addresses to every Service; the result is sorted by Service."""
    ledger = Ledger(PoolOrder(policy.pools, namespaces))
    done = allocate_into(ledger, services, policy, local)
    return tuple(done[key] for key in sorted(done))


def allocate_into(
    ledger: Ledger, services: Mapping[ServiceKey, Service], policy: Policy, local: Local
) -> dict[ServiceKey, Assignment]:
    """Assign addresses to `services` beside what `ledger` has, which takes them up."""
    done = {
        key: answer for key, service in services.items() if (answer := _ignored(service, local))
    }
    ours = sorted((s for key, s in services.items() if key not in done), key=_age)
    convergence = _Convergence(ledger, policy)
    for service in ours:
        convergence.hold(service, held_by(service, local))
    done.update(convergence.settle(ours) if local.allocates else convergence.as_held(ours))
    return done


def _age(service: Service) -> tuple[str, ServiceKey]:
    return (service.created, service.key)


def _ignored(service: Service, local: Local) -> Assignment | None:
    if not service.load_balancer:
        refusal = Refusal(Reason.NOT_LOAD_BALANCER, "spec.type is not LoadBalancer")
    elif service.load_balancer_class != local.lb_class and not _is_virtual_ip(service):
        wanted = local.lb_class or "none"
        refusal = Refusal(
            Reason.OTHER_CLASS,
            f"loadBalancerClass is {service.load_balancer_class or 'none'}, we serve {wanted}",
        )
    else:
        return None
    return Assignment(
        service.key, AssignmentState.IGNORED, reason=refusal.reason, message=refusal.message
    )


def _is_virtual_ip(service: Service) -> bool:
    return service.key.namespace == VIRTUAL_IP_NAMESPACE


def held_by(service: Service, local: Local) -> Addresses:
    """Return what `service` holds: by its status, else by what this node remembers."""
    return service.ingress or local.held.get(str(service.key), ())


class _Held(NamedTuple):
    """What a Service has kept so far, and the pool that has it, if it is known."""

    addresses: Addresses
    pool: Pool | None


class _Convergence:
    """One pass over all Services: first what they hold, then what they want besides."""

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger = ledger
        self._faulty = policy.pools_faulty
        self._held: dict[ServiceKey, _Held] = {}
        self._lost: dict[ServiceKey, Refusal] = {}
        self._lacking: set[ServiceKey] = set()
        self._answers: dict[ServiceKey, Assignment] = {}

    def hold(self, service: Service, held: Addresses) -> None:
        """Take up what `service` holds and may keep; the older of two that clash keeps."""
        if not held:
            return
        kept = self._kept(service, held)
        if isinstance(kept, Refusal):
            self._lost[service.key] = kept
        else:
            self._held[service.key] = kept
            if len(service.families) < 2 and self._is_content(service, kept):
                # By far the most frequent: nothing that comes later can change it.
                answer = events.kept(service, kept.addresses, _name(service, kept))
                self._answers[service.key] = _with_warnings(answer, service)

    def _is_content(self, service: Service, held: _Held) -> bool:
        """Tell whether what is held is what is asked for; while pools are faulty it always is."""
        return self._faulty or _is_asked_for(service, held)

    def _kept(self, service: Service, held: Addresses) -> _Held | Refusal:
        pools = self._ledger.pools
        if not self._faulty:
            held = _of_families(service, held)
        pool = pools.holding(held) if held else None
        refusal = None if self._faulty else self._not_allowed(service, pool, held)
        refusal = refusal or self._ledger.claim(service, held)
        return refusal or _Held(ordered(held) if len(held) > 1 else held, pool)

    def _not_allowed(self, service: Service, pool: Pool | None, held: Addresses) -> Refusal | None:
        """Say why `service` may not keep `held` by the configuration."""
        if refusal := _impossible(service, self._ledger.pools):
            return refusal
        if not held:
            return Refusal(Reason.FAMILY_MISMATCH, "it is not of the Service's IP family")
        avoids = pool is not None and pool.avoid_buggy_ips
        if pool is None or (avoids and any(pool.avoids(address) for address in held)):
            return Refusal(Reason.ADDRESS_NOT_IN_POOL, f"[{listed(held)}] is not allowed in config")
        why = self._ledger.pools.refusal(service, pool)
        if why is not None:
            text = f"pool {pool.name} not compatible for ip assignment: {why}"
            return Refusal(Reason.POOL_NOT_COMPATIBLE, text)
        return None

    def settle(self, services: Iterable[Service]) -> dict[ServiceKey, Assignment]:
        """Give every Service what it can have; who holds something comes first.

        An address that is given up for another one is free for whoever waits for it, so those who
        wait are looked at again until nothing more is given up.
        """
        done, had = self._answers, {*self._held, *self._lost}
        waiting = [service for service in services if service.key not in done]
        waiting.sort(key=lambda service: service.key not in had)
        moved = True
        while moved:
            moved = False
            for service in waiting:
                done[service.key] = self._settle_one(service)
                moved = self._has_moved(service, done[service.key]) or moved
            moved = moved or self._exchange(waiting)
            waiting = [one for one in waiting if done[one.key].reason or one.key in self._lacking]
        return done

    def as_held(self, services: Iterable[Service]) -> dict[ServiceKey, Assignment]:
        """Leave every Service what it has, for who does not allocate."""
        return {service.key: self._as_held(service) for service in services}

    def _as_held(self, service: Service) -> Assignment:
        held, lost = self._held.get(service.key), self._lost.get(service.key)
        if held is not None:
            return events.kept(service, held.addresses, _name(service, held))
        if lost is not None:
            return events.pending(service, Reason.IP_NOT_ALLOWED, lost.message)
        text = "the controller has given it no address yet"
        return events.pending(service, Reason.NO_IP_ALLOCATED, text)

    def _exchange(self, services: Iterable[Service]) -> bool:
        """Let Services that ask for each other's addresses have them; tell whether any did."""
        asking = {
            s.key: s for s in services if s.requested_addresses and self._answers[s.key].reason
        }
        held = {key: self._held[key].addresses for key in asking if key in self._held}
        given = exchange(asking.values(), held, self._ledger)
        for key, choice in given.items():
            self._answers[key] = _with_warnings(events.assigned(asking[key], choice), asking[key])
            del self._held[key]
        return bool(given)

    def _has_moved(self, service: Service, answer: Assignment) -> bool:
        """Tell whether `service` gave up an address, and note that it is not held any more."""
        before = self._held.get(service.key)
        if before is None or before.addresses is answer.addresses:
            return False
        if set(before.addresses) <= set(answer.addresses):
            return False
        del self._held[service.key]
        return True

    def _settle_one(self, service: Service) -> Assignment:
        held = self._held.get(service.key)
        answer = self._new(service) if held is None else self._keep_or_move(service, held)
        return _with_warnings(answer, service)

    def _keep_or_move(self, service: Service, held: _Held) -> Assignment:
        if self._is_content(service, held):
            return self._with_other_family(service, held)
        refusal = _malformed(service)
        self._ledger.release(service.key, held.addresses)
        chosen = refusal or choose(service, self._ledger)
        if isinstance(chosen, Refusal):
            self._ledger.take(service, held.addresses)
            return events.kept_against_wish(service, held.addresses, _name(service, held), chosen)
        self._ledger.take(service, chosen.addresses)
        return events.assigned(service, chosen)

    def _with_other_family(self, service: Service, held: _Held) -> Assignment:
        """Keep what is held and add the family that is missing, of the same pool."""
        answer = events.kept(service, held.addresses, _name(service, held))
        if len(service.families) < 2 or held.pool is None or self._faulty:
            return answer
        missing = set(service.families) - {family_of(address) for address in held.addresses}
        if not missing:
            return answer
        more = self._ledger.lowest(service, held.pool, missing.pop())
        self._lacking.discard(service.key)
        if more is not None:
            self._ledger.take(service, (more,))
            return events.extended(answer, ordered((*held.addresses, more)), more)
        if service.family_policy is FamilyPolicy.PREFER_DUAL_STACK:
            self._lacking.add(service.key)
            return events.not_extended(answer, held.pool)
        self._ledger.release(service.key, held.addresses)
        text = f"pool {held.pool.name} has no address of the other family"
        self._lost[service.key] = Refusal(Reason.NO_AVAILABLE_ADDRESSES, text)
        return self._new(service)

    def _new(self, service: Service) -> Assignment:
        """Give `service` addresses it does not have, or say why not."""
        lost = self._lost.get(service.key)
        refusal = _impossible(service, self._ledger.pools) or _malformed(service)
        chosen = refusal or choose(service, self._ledger)
        if isinstance(chosen, Choice):
            self._ledger.take(service, chosen.addresses)
            return events.assigned(service, chosen, lost)
        return events.refused(service, chosen, lost)


def _impossible(service: Service, pools: PoolOrder) -> Refusal | None:
    """Say why no pool could help, in MetalLB's order of checks."""
    if not pools.all:
        return Refusal(Reason.NO_POOLS, "there is no IPAddressPool; create one")
    if _is_virtual_ip(service):
        return None
    if not service.families:
        text = "the Service has no cluster IP, so its IP family is not known; clusterIP: None is not for LoadBalancer"
        return Refusal(Reason.NO_CLUSTER_IPS, text)
    dual = service.family_policy is FamilyPolicy.REQUIRE_DUAL_STACK
    if dual and len(service.families) < 2:
        return Refusal(
            Reason.NOT_ENOUGH_CLUSTER_IPS,
            "RequireDualStack needs two cluster IPs, and the Service has one",
        )
    return None


def _malformed(service: Service) -> Refusal | None:
    text = service.malformed_request
    return None if text is None else Refusal(Reason.INVALID_REQUEST, text)


def _of_families(service: Service, held: Addresses) -> Addresses:
    """Return what of `held` a Service may have: the first of each of its families.

    MetalLB gives up all of it where one is of another family, or two are of the same.
    """
    if not service.families:
        return held
    if len(held) == 1 and held[0].version in service.families:
        return held  # by far the most frequent
    own = tuple(address for address in held if address.version in service.families)
    if _is_virtual_ip(service):
        return own
    return tuple({address.version: address for address in reversed(own)}.values())


def _with_warnings(answer: Assignment, service: Service) -> Assignment:
    """Add the Events about annotations of the old group, and about too many addresses."""
    surplus = len(service.ingress) > len({address.version for address in service.ingress})
    if not (service.deprecated_annotations or surplus):
        return answer
    old = (events.deprecated(name) for name in service.deprecated_annotations)
    many = (events.too_many(service.ingress),) if surplus else ()
    return replace(answer, events=(*old, *many, *answer.events))


def _is_asked_for(service: Service, held: _Held) -> bool:
    if service.malformed_request is not None:
        return False
    requested: tuple[IPAddress, ...] = service.requested_addresses
    if requested and set(requested) != set(held.addresses):
        return False
    if requested and len(requested) < len(service.families):
        return False  # asks for one family of two, which is refused (metallb.md 2.1)
    return service.requested_pool in (None, held.pool.name if held.pool else None)


def _name(service: Service, held: _Held) -> str | None:
    return held.pool.name if held.pool else service.allocated_pool
