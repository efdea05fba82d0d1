"""The reconciler: from what is known now to a plan, and from the plan to what others must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from orchestrator.adapters.addresses_link import AddressesLink
from orchestrator.adapters.kernel import network
from orchestrator.adapters.layer2_link import Layer2Link, Layer2Wish
from orchestrator.adapters.layer2_wire import Happened
from orchestrator.adapters.supervisor_link import SupervisorLink
from orchestrator.bgp.backend import Backend
from orchestrator.config.reading import Reading
from orchestrator.model.address import IPAddress, IPNetwork
from orchestrator.model.local import Local
from orchestrator.model.plan import Plan
from orchestrator.model.policy import Policy
from orchestrator.planner import Planner
from orchestrator.planner.bind_order import hold_back, router_bindings, to_bind, unbound
from orchestrator.planner.draining import asked_to_drain
from orchestrator.planner.needed import needed
from orchestrator.planner.wishes import Wishes, desired, health_of_tracks
from orchestrator.roles.drain import Drain
from orchestrator.roles.health_checks import HealthChecks
from orchestrator.roles.memory import AssignmentMemory
from orchestrator.roles.readings import Readings
from orchestrator.settings import Settings


class Reconciler:
    """Holds the parts that know or do something, and makes them agree with one plan."""

    def __init__(
        self,
        settings: Settings,
        sources: Readings,
        backend: Backend,
        *,
        on_change: Callable[[], None],
        on_bound: Callable[[], None],
        on_layer2: Callable[[], None],
    ) -> None:
        """`on_bound` is told when addresses were bound: announcing them completes a change.

        `on_layer2` is told when something changed on layer 2, which changes no plan.
        """
        state = settings.state_dir
        self.settings = settings
        self.backend = backend
        self.sources = sources
        self.checks = HealthChecks(state / "health.json", on_change)
        self.memory = AssignmentMemory(state / "assignments.json")
        self.drain = Drain(state / "drain.json", on_change)
        self.addresses = AddressesLink(settings.addresses_socket, on_bound)
        self.happened: list[Happened] = []
        self.layer2 = Layer2Link(settings.layer2_socket, on_layer2, self.happened.extend)
        self.supervisor = SupervisorLink(settings.supervisor_socket)
        self.needed: frozenset[str] = frozenset()
        self._wishes = Wishes()
        self._planner = Planner()
        self.plan: Plan | None = None
        self._on_change = on_change
        self._interfaces: network.Interfaces = {}
        self._towards: Mapping[IPAddress, str] = {}

    def reconcile(self) -> bool:
        """Plan and hand the plan on; return False where too little is known to decide anything.

        Nothing is withdrawn because of ignorance: before the sources were read and every check
        gave a first answer, what a predecessor left stays.
        """
        reading = self.sources.reading
        if reading is None:
            return False
        self.checks.want(reading.cluster.virtual_ips)
        if not self.checks.settled:
            return False
        self.drain.follow(asked_to_drain(reading.cluster, reading.policy, self.settings.node))
        plan = self.plan = self._planner.plan(reading.cluster, reading.policy, self._local(reading))
        if self.sources.allocates:
            self._remember(plan)
        self.needed = needed(plan, reading.policy)
        self.supervisor.need(sorted(self.needed))
        self._bind(plan, reading.policy)
        self._announce(plan)
        self._own(plan, reading)
        return True

    def _remember(self, plan: Plan) -> None:
        draws = self.memory.draws(plan)
        self.memory.keep(plan)
        if draws:
            self.memory.write()  # nobody may see an address that a restart could move

    def _local(self, reading: Reading) -> Local:
        return Local(
            node=self.settings.node,
            interfaces=self._interfaces,
            source_interfaces=self._towards,
            health=self.checks.health(reading.cluster.virtual_ips),
            drain=self.drain.phase,
            held=self.memory.held if self.sources.allocates else {},
            allocates=self.sources.allocates,
            lb_class=self.settings.lb_class,
            ignore_exclude_label=self.settings.ignore_exclude_lb,
            extended_next_hops=self.backend.extended_next_hops(reading.policy.peers),
        )

    def unbound(self) -> Mapping[IPAddress, str]:
        """Return the addresses held back until they are bound, with the reason."""
        missing = unbound(self.plan or Plan(), self.addresses.bound or ())
        return {a: self.addresses.errors.get(a, "not done yet") for a in missing}

    def _bind(self, plan: Plan, policy: Policy) -> None:
        bound = self.addresses.bound
        if bound is None:
            return
        wanted = {**router_bindings(policy.virtual_routers), **plan.bindings}
        going = bound.keys() - wanted.keys()
        holding = self.backend.holding() if going else frozenset[IPNetwork]()
        quiet = "layer2" in self.needed  # before an address is there, or its kernel would answer
        self.addresses.want(to_bind(wanted, bound, holding), quiet_arp=quiet)

    def _announce(self, plan: Plan) -> None:
        if plan.bindings and self.addresses.bound is None:
            return  # what is bound is not known yet, and what a predecessor announced stays
        ribs = plan.ribs.get(self.settings.node, {})
        self.backend.want(plan.sessions, hold_back(ribs, plan, self.unbound()))

    def _own(self, plan: Plan, reading: Reading) -> None:
        """Tell layer 2 what this node may answer for, and its virtual routers."""
        cluster, policy, node = reading.cluster, reading.policy, self.settings.node
        missing = unbound(plan, self.addresses.bound or ())
        wishes = self._wishes.of(plan, node, missing, alone=not cluster.nodes)
        self.layer2.want(
            Layer2Wish(
                replace(
                    desired(wishes, cluster, policy, self._interfaces, node),
                    fresh=self.sources.fresh,
                ),
                policy.settings,
                policy.virtual_routers,
                health_of_tracks(policy.virtual_routers, self.checks.known(), cluster.virtual_ips),
            )
        )

    async def look_at_network(self) -> None:
        """Read this host's addresses, and the interfaces towards all peers."""
        interfaces = self._without_vips(await network.read_interfaces())
        peers = self.sources.reading.policy.peers if self.sources.reading else ()
        targets = [peer.address for peer in peers if peer.address is not None]
        towards = await network.interfaces_towards(targets)
        if (interfaces, towards) != (self._interfaces, self._towards):
            self._interfaces, self._towards = interfaces, towards
            self._on_change()

    def _without_vips(self, interfaces: network.Interfaces) -> network.Interfaces:
        """Leave out what we bound ourselves: a VIP is no next hop, and makes no new network."""
        peers = self.sources.reading.policy.peers if self.sources.reading else ()
        sources = {peer.source_address for peer in peers}
        ours = {address for address in self.addresses.bound or () if address not in sources}
        return {
            name: tuple(own for own in addresses if own.ip not in ours)
            for name, addresses in interfaces.items()
        }
