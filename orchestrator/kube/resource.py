"""A resource of the API server: where it is, and which part of it is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """All objects of a kind, or those in one namespace, or those that selectors name."""

    group: str
    version: str
    plural: str
    kind: str
    namespace: str | None = None
    field_selector: str = ""
    label_selector: str = ""

    @property
    def path(self) -> str:
        """Where they are listed and watched, and made (`POST`)."""
        root = f"/apis/{self.group}" if self.group else "/api"
        home = f"/namespaces/{self.namespace}" if self.namespace is not None else ""
        return f"{root}/{self.version}{home}/{self.plural}"

    def object_path(self, namespace: str, name: str, subresource: str = "") -> str:
        """Where one object is; `namespace` is empty for objects of the cluster."""
        root = f"/apis/{self.group}" if self.group else "/api"
        home = f"/namespaces/{namespace}" if namespace else ""
        below = f"/{subresource}" if subresource else ""
        return f"{root}/{self.version}{home}/{self.plural}/{name}{below}"

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.plural}{group}"
