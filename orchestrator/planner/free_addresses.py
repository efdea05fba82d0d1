"""The first free address of a pool, found in logarithmic time whatever the pool's size."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.model.address import AddressRange, Family, IPAddress
from orchestrator.model.policy import Pool


@dataclass(slots=True)
class FreeRange:
    """One range of a pool, with the numbers in use in ascending order.

    Of `used`, entry i is `first + i` up to the first gap, which is so found by bisection.
    """

    addresses: AddressRange
    avoid_buggy: bool
    used: list[int] = field(default_factory=list)

    def take(self, number: int) -> None:
        """Note that an address of this range is in use."""
        index = bisect_left(self.used, number)
        if self.used[index : index + 1] != [number]:
            self.used.insert(index, number)

    def release(self, number: int) -> None:
        """Note that an address of this range is free."""
        index = bisect_left(self.used, number)
        if self.used[index : index + 1] == [number]:
            del self.used[index]

    def lowest(self) -> int | None:
        """Return the lowest free number, None when all are in use."""
        if len(self.used) == self.addresses.size:
            return None
        first, last = int(self.addresses.first), int(self.addresses.last)
        while (free := first + self._run(first)) <= last:
            if not self.avoid_buggy or free & 0xFF not in (0, 255):
                return free
            insort(self.used, free)  # never to be given: as good as in use
        return None

    def _run(self, first: int) -> int:
        """Count how many numbers from the first on are in use without a gap."""
        used = self.used
        return bisect_right(range(len(used)), first, key=lambda index: used[index] - index)


class FreeAddresses:
    """What is free in one pool, of one family."""

    def __init__(self, pool: Pool, family: Family, used: Iterable[IPAddress]) -> None:
        avoid = pool.avoid_buggy_ips and family is Family.IPV4
        self._ranges = [FreeRange(r, avoid) for r in pool.ranges if r.family is family]
        numbers = sorted(int(address) for address in used if address.version == family)
        for entry in self._ranges:
            first, last = int(entry.addresses.first), int(entry.addresses.last)
            entry.used = numbers[bisect_left(numbers, first) : bisect_left(numbers, last + 1)]

    def take(self, address: IPAddress) -> None:
        """Note that an address is in use."""
        for entry in self._around(address):
            entry.take(int(address))

    def release(self, address: IPAddress) -> None:
        """Note that an address is free."""
        for entry in self._around(address):
            entry.release(int(address))

    def _around(self, address: IPAddress) -> Iterator[FreeRange]:
        return (entry for entry in self._ranges if address in entry.addresses)

    def lowest(self) -> Iterator[tuple[AddressRange, int | None]]:
        """Yield each range, in the order of the pool, with its lowest free number."""
        return ((entry.addresses, entry.lowest()) for entry in self._ranges)
