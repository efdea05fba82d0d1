"""The resources that the model of the API server can hold, and what is special about each."""

from __future__ import annotations

from typing import Any, NamedTuple

Object = dict[str, Any]

_MADE_BY_PUT = {"services", "leases", "events"}
_ANY_VERSION = {"services", "events", "nodes", "namespaces", "secrets", "endpointslices"}


class Collection(NamedTuple):
    """A resource by group, version and plural; `status`: with a subresource of that name."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    status: bool = False

    @property
    def root(self) -> str:
        """Path of all of its objects."""
        base = f"/apis/{self.group}" if self.group else "/api"
        return f"{base}/{self.version}"

    @property
    def api_version(self) -> str:
        """What its objects have as apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Its name in messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def custom(self) -> bool:
        """Tell whether a CustomResourceDefinition defines it."""
        return "." in self.group and not self.group.endswith(".k8s.io")

    @property
    def made_by_put(self) -> bool:
        """Tell whether a PUT where nothing is makes the object."""
        return self.plural in _MADE_BY_PUT

    @property
    def any_version(self) -> bool:
        """Tell whether a PUT may leave resourceVersion out, and then overwrites whatever is there."""
        return self.plural in _ANY_VERSION

    @property
    def returns_deleted(self) -> bool:
        """Tell whether a DELETE is answered with the object, not with a `Status`."""
        return self.plural == "services"


SERVICES = Collection("", "v1", "services", "Service", status=True)
EVENTS = Collection("", "v1", "events", "Event")
NODES = Collection("", "v1", "nodes", "Node", namespaced=False, status=True)
NAMESPACES = Collection("", "v1", "namespaces", "Namespace", namespaced=False)
SECRETS = Collection("", "v1", "secrets", "Secret")
LEASES = Collection("coordination.k8s.io", "v1", "leases", "Lease")
SLICES = Collection("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")


def custom(
    plural: str, kind: str, version: str = "v1beta1", group: str = "metallb.io"
) -> Collection:
    """Make a kind of ours or MetalLB's: all have a status."""
    return Collection(group, version, plural, kind, status=True)
