"""Filters that the kernel runs on each frame before a packet socket gets it (classic BPF).

Each lets through one use only, and no frame of a VLAN or of an interface on top, which the kernel
shows to sockets of the interface below as well: that would be another segment.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from orchestrator.layer2.shared.member_frame import (
    FLAGS_AT,
    KIND_AT,
    ROUTINE,
    VERSION_AND_TYPE,
    Kind,
)
from orchestrator.model.address import IPAddress

_ATTACH_FILTER = 26
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _LOAD_LENGTH = 0x20, 0x28, 0x30, 0x80
_EQUAL, _GREATER, _AT_LEAST, _ANY_BIT, _JUMP, _RETURN = 0x15, 0x25, 0x35, 0x45, 0x05, 0x06
_TESTS = {_EQUAL, _AT_LEAST, _ANY_BIT}
_WHOLE_FRAME = 0x40000
_ANCILLARY = 0xFFFFF000
_PACKET_TYPE, _INTERFACE = _ANCILLARY + 4, _ANCILLARY + 8
_TO_THIS_HOST, _TO_ALL, _TO_A_GROUP = 0, 1, 2
_VIRTUAL_MACS = 0x00005E00
"""First bytes of the MACs of virtual routers, which a macvlan above us may have (RFC 9568 7.3)."""
_MOST_RANGES = 60
"""Ranges that addresses are put together to; each is looked at for each frame."""


class Step(NamedTuple):
    """One instruction: operation, how far to jump when true and when false, operand."""

    code: int
    true: int
    false: int
    operand: int


Program = tuple[Step, ...]
Range = tuple[int, int]
_ACCEPT, _DROP = Step(_RETURN, 0, 0, _WHOLE_FRAME), Step(_RETURN, 0, 0, 0)
NOTHING: Program = (_DROP,)
"""Lets nothing through, for sockets that only send."""


def attach(target: socket.socket, program: Program) -> None:
    """Have the kernel run `program` on what `target` would get; raises OSError."""
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    target.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, head)


def _need(code: int, operand: int, *values: int) -> Program:
    """Drop the frame unless what is loaded is one of `values`."""
    load = Step(code, 0, 0, operand)
    tests = (Step(_EQUAL, len(values) - n, 0, value) for n, value in enumerate(values))
    return (load, *tests, _DROP)


def _accept(code: int, operand: int, ranges: Iterable[Range]) -> Program:
    """Accept the frame if what is loaded is in one of `ranges`, else go on."""
    tests: list[Step] = []
    pairs = list(ranges)
    for left, (low, high) in zip(range(len(pairs), 0, -1), pairs, strict=True):
        tests += (Step(_AT_LEAST, 0, 1, low), Step(_GREATER, 0, 2 * left - 1, high))
    return (Step(code, 0, 0, operand), *tests, Step(_JUMP, 0, 0, 1), _ACCEPT)


def _of_interface(index: int) -> Program:
    """Drop what is another host's, which frames of an unknown VLAN are, or another interface's.

    What is for a virtual router's macvlan passes.
    """
    return (
        *_need(_LOAD_WORD, _PACKET_TYPE, _TO_THIS_HOST, _TO_ALL, _TO_A_GROUP),
        Step(_LOAD_WORD, 0, 0, _INTERFACE),
        Step(_EQUAL, 3, 0, index),
        *_need(_LOAD_WORD, 0, _VIRTUAL_MACS),
    )


def _routine(at: int, *before: Step, only: bool) -> Program:
    """Drop routine hellos, or with `only` everything else; a member's frame begins at `at`.

    `before` are pairs of steps, a load and a test, that must be so too.
    """
    steps = (
        Step(_LOAD_LENGTH, 0, 0, 0),
        Step(_AT_LEAST, 0, 0, at + FLAGS_AT + 1),
        *before,
        Step(_LOAD_BYTE, 0, 0, at),
        Step(_EQUAL, 0, 0, VERSION_AND_TYPE),
        Step(_LOAD_BYTE, 0, 0, at + KIND_AT),
        Step(_EQUAL, 0, 0, Kind.HELLO),
        Step(_LOAD_BYTE, 0, 0, at + FLAGS_AT),
        Step(_ANY_BIT, 0, 0, ROUTINE),
    )
    # What fails a test comes to the last step, or passes over it like what fails none.
    last = len(steps) + (0 if only else 1)
    checked = [
        step._replace(false=last - at) if step.code in _TESTS else step
        for at, step in enumerate(steps, 1)
    ]
    checked[-1] = checked[-1]._replace(true=1 if only else 0)
    return (*checked, _DROP)


def ipv4_adverts(index: int, *, routine: bool) -> Program:
    """Let protocol 112 through to the groups of VRRP and of hellos, or to this host.

    Routine hellos pass if `routine`, and then nothing else does.
    """
    groups = ("224.0.0.18", "224.0.0.254")
    without_options = (Step(_LOAD_BYTE, 0, 0, 14), Step(_EQUAL, 0, 0, 0x45))
    return (
        *_of_interface(index),
        *_need(_LOAD_BYTE, 23, 112),
        *_routine(34, *without_options, only=routine),
        *_accept(_LOAD_WORD, _PACKET_TYPE, [(_TO_THIS_HOST, _TO_THIS_HOST)]),
        *_need(_LOAD_WORD, 30, *(int(ipaddress.ip_address(group)) for group in groups)),
        _ACCEPT,
    )


def ipv6_adverts(index: int, *, routine: bool) -> Program:
    """Do as `ipv4_adverts` for IPv6, whose groups are ff02::12 and ff02::114."""
    return (
        *_of_interface(index),
        *_need(_LOAD_BYTE, 20, 112),
        *_routine(54, only=routine),
        *_accept(_LOAD_WORD, _PACKET_TYPE, [(_TO_THIS_HOST, _TO_THIS_HOST)]),
        *_need(_LOAD_WORD, 38, 0xFF020000),
        *_need(_LOAD_WORD, 42, 0),
        *_need(_LOAD_WORD, 46, 0),
        *_need(_LOAD_WORD, 50, 0x12, 0x114),
        _ACCEPT,
    )


def arp(index: int, about: Iterable[IPAddress] | None) -> Program:
    """Let requests and replies through whose sender or target is one of `about`, or near many.

    None lets all through.
    """
    ranges = _ranges(about, 4)
    return (
        *_of_interface(index),
        *_need(_LOAD_HALF, 20, 1, 2),
        *_accept(_LOAD_WORD, 38, ranges),
        *_accept(_LOAD_WORD, 28, ranges),
        _DROP,
    )


def neighbor_discovery(index: int, about: Iterable[IPAddress] | None) -> Program:
    """Let through what is said of one of `about`, as far as the last 32 bits tell.

    None lets all through.
    """
    ranges = _ranges(about, 6)
    return (
        *_of_interface(index),
        *_need(_LOAD_BYTE, 20, 58),
        *_need(_LOAD_BYTE, 54, 135, 136),
        *_accept(_LOAD_WORD, 74, ranges),
        _DROP,
    )


def _ranges(addresses: Iterable[IPAddress] | None, version: int) -> list[Range]:
    """Put the last 32 bits of addresses together to few ranges, with the least between them."""
    if addresses is None:
        return [(0, 0xFFFFFFFF)]
    numbers = sorted({int(one) & 0xFFFFFFFF for one in addresses if one.version == version})
    if not numbers:
        return []
    gaps = sorted(((b - a, b) for a, b in pairwise(numbers) if b - a > 1), reverse=True)
    starts = [numbers[0], *sorted(b for _, b in gaps[: _MOST_RANGES - 1])]
    before = {b: a for a, b in pairwise(numbers)}
    ends = [*(before[start] for start in starts[1:]), numbers[-1]]
    return list(zip(starts, ends, strict=True))
