"""Kinds and fields that report a state: written by the controller and the speakers, never read.

metallb.md 1.7 and DESIGN 9. They configure nothing; they are declared so that their definitions
are published with the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.config.schema import Boolean, Choice, Field, Integer, ListOf, Record, Text

_COUNT = Integer(0, 2**63 - 1)
_NAME = Text(max_length=253)
_MESSAGE = Text(max_length=32768)
_TIME = Text("a time (RFC 3339)", max_length=64)
_CONDITION_TYPE = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])"
)
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
MAX_UNFLUSHED = 50
"""Most routes that one SpeakerState names one by one (DESIGN 9)."""
MAX_TROUBLES = 50
"""Most troubles of layer 2 that one SpeakerState has."""


@dataclass(frozen=True, slots=True)
class StatusKind:
    """A kind that has a status and no spec."""

    name: str
    group: str
    version: str
    doc: str
    status: Record


POOL_STATUS = Record(
    (
        Field("assignedIPv4", _COUNT, "IPv4 addresses in use.", required=True),
        Field("assignedIPv6", _COUNT, "IPv6 addresses in use.", required=True),
        Field("availableIPv4", _COUNT, "IPv4 addresses that are free.", required=True),
        Field("availableIPv6", _COUNT, "IPv6 addresses that are free.", required=True),
    )
)

_ANNOUNCED = (
    Field("node", _NAME, "Node that announces the Service."),
    Field("serviceName", _NAME, "Name of the Service."),
    Field("serviceNamespace", _NAME, "Namespace of the Service."),
)
_INTERFACE = Record((Field("name", Text(max_length=15), "Name of the interface."),))

_CONDITION = Record(
    (
        Field("type", Text(pattern=_CONDITION_TYPE, max_length=316), "Which one.", required=True),
        Field("status", Choice(("True", "False", "Unknown")), "Whether it holds.", required=True),
        Field("observedGeneration", _COUNT, "Generation of the object it was seen at."),
        Field("lastTransitionTime", _TIME, "Since when (RFC 3339).", required=True),
        Field(
            "reason",
            Text(pattern=_REASON, min_length=1, max_length=1024),
            "Why, in a word.",
            required=True,
        ),
        Field("message", _MESSAGE, "Why, in a sentence.", required=True),
    )
)

_ROUTES = Record(
    (
        Field("desired", _COUNT, "Routes that are wanted."),
        Field("sent", _COUNT, "Of them, given to the BGP process."),
        Field("flushed", _COUNT, "Of them, written to the session."),
    )
)
_SESSION = Record(
    (
        Field("peer", _NAME, "BGPPeer.", required=True),
        Field("address", Text(max_length=64), "The peer's address."),
        Field("port", Integer(1, 65535), "The peer's port."),
        Field("myASN", Integer(0, 2**32 - 1), "Own AS number."),
        Field("peerASN", Integer(0, 2**32 - 1), "The peer's AS number."),
        Field("state", Choice(("up", "down", "unknown")), "State of the session."),
        Field("since", _TIME, "Since when (RFC 3339)."),
        Field("lastError", _MESSAGE, "What ended it last."),
        Field("routes", _ROUTES, "Routes on it."),
        Field("desiredIPv6", _COUNT, "Of the desired routes, those of IPv6."),
    )
)
_UNFLUSHED = Record(
    (
        Field("peer", _NAME, "BGPPeer."),
        Field("prefix", Text(max_length=64), "Prefix of the route."),
        Field("state", Choice(("desired", "sent")), "How far it has come."),
    )
)
_MEMBER = Record(
    (
        Field("interface", Text(max_length=15), "Segment it was heard on."),
        Field("node", _NAME, "The member."),
        Field("state", Text(max_length=64), "What it says of itself."),
        Field("lastHeard", _TIME, "When it was heard (RFC 3339)."),
    )
)
_TROUBLE = Record(
    (
        Field(
            "address", Text(max_length=64), "Address that it is about; none for all of a segment."
        ),
        Field("interface", Text(max_length=15), "Segment that it was seen on."),
        Field("reason", Text(max_length=64), "What it is: the code of the problem."),
        Field("by", _NAME, "Who does it: a MAC address, or a member."),
        Field("message", _MESSAGE, "What it is, in a sentence."),
    )
)

STATUS_KINDS = (
    StatusKind(
        "ServiceL2Status",
        "metallb.io",
        "v1beta1",
        "Tells which node answers for a Service on layer 2. Written by that node.",
        Record(
            (
                *_ANNOUNCED,
                Field("interfaces", ListOf(_INTERFACE), "Interfaces; none means all."),
            )
        ),
    ),
    StatusKind(
        "ServiceBGPStatus",
        "metallb.io",
        "v1beta1",
        "Tells to which peers a node means to announce a Service. Written by that node.",
        Record((*_ANNOUNCED, Field("peers", ListOf(_NAME), "BGPPeers by name."))),
    ),
    StatusKind(
        "ConfigurationState",
        "metallb.io",
        "v1beta1",
        "Tells whether the controller or a speaker could read the configuration.",
        Record(
            (
                Field("result", Choice(("Valid", "Invalid", "Unknown")), "The verdict."),
                Field("errorSummary", _MESSAGE, "What is wrong, when something is."),
                Field("conditions", ListOf(_CONDITION), "The verdict by part."),
            )
        ),
    ),
    StatusKind(
        "SpeakerState",
        "orchestrator.io",
        "v1alpha1",
        "Tells what a node announces and how its sessions are. Written by that node.",
        Record(
            (
                Field("node", _NAME, "The node."),
                Field("version", Text(max_length=64), "Version of the speaker."),
                Field("sessions", ListOf(_SESSION, max_items=1000), "BGP sessions."),
                Field("established", Text(max_length=64), "Sessions that are up, of all."),
                Field("lastError", _MESSAGE, "Sessions that are not, and why."),
                Field("routes", _ROUTES, "Routes of all sessions."),
                Field(
                    "unflushed",
                    ListOf(_UNFLUSHED, max_items=MAX_UNFLUSHED),
                    "Some of the routes that are not yet on their session.",
                ),
                Field("owned", _COUNT, "Addresses that it answers for on layer 2."),
                Field("members", ListOf(_MEMBER, max_items=10_000), "Members it hears."),
                Field(
                    "layer2",
                    ListOf(_TROUBLE, max_items=MAX_TROUBLES),
                    "What is wrong on its segments.",
                ),
                Field(
                    "loadBalancerClass", _NAME, "Class of Services that it serves; none for none."
                ),
                Field(
                    "ignoreExcludeLabel",
                    Boolean(),
                    "Whether it announces from nodes that are labelled for no load balancer too.",
                ),
                Field("renewTime", _TIME, "When it told something last (RFC 3339)."),
            )
        ),
    ),
)
