"""Sync groups: virtual routers that change state together, as keepalived's do."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.layer2.actions import Action, RouterState
from orchestrator.layer2.routers.virtual_router import VirtualRouterMachine


def settle(group: Sequence[VirtualRouterMachine], now: float) -> list[Action]:
    """Bring the routers of one group to one state after any of them has changed.

    One that is down takes all down. One that lets another be Master makes none be Master. They
    become Master together when each would by itself: one segment that is cut must not make a group
    fight for the others (keepalived prefers Backup too).
    """
    return [*_share_faults(group, now), *_share_mastery(group, now)]


def _share_faults(group: Sequence[VirtualRouterMachine], now: float) -> list[Action]:
    down = next((machine for machine in group if machine.own_fault is not None), None)
    fault = None
    if down is not None:
        fault = f"sync group {down.router.sync_group}: {down.router.name}: {down.own_fault}"
    return [action for machine in group for action in machine.group_fault(fault, now)]


def _share_mastery(group: Sequence[VirtualRouterMachine], now: float) -> list[Action]:
    follower = next((machine for machine in group if machine.following), None)
    if follower is not None:
        reason = f"sync group {follower.router.sync_group}: {follower.router.name} is Backup"
        return [action for machine in group for action in machine.step_down(reason, now)]
    if all(machine.ready or machine.state is RouterState.MASTER for machine in group):
        return [action for machine in group if machine.ready for action in machine.lead(now)]
    return []
