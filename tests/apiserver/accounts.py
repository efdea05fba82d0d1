"""The service accounts of the manifests on a real API server: their rights, and what they asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from orchestrator.lab.apiserver import ApiServer
from tests.apiserver.conftest import NAMESPACE
from tests.apiserver.processes import made, poll
from tests.unit.deploy.manifests import ACCOUNTS, Right, granted, of_kind, rights_of

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_HOME = f"namespaces/{NAMESPACE}/"
_PLACES = {
    "ServiceAccount": f"/api/v1/{_HOME}serviceaccounts",
    "ClusterRole": f"{_RBAC}/clusterroles",
    "Role": f"{_RBAC}/{_HOME}roles",
    "ClusterRoleBinding": f"{_RBAC}/clusterrolebindings",
    "RoleBinding": f"{_RBAC}/{_HOME}rolebindings",
}
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def user(account: str) -> str:
    """What the API server calls a service account."""
    return f"system:serviceaccount:{NAMESPACE}:{account}"


class Accounts:
    """Service accounts with exactly the rights of the base's manifests, as contexts of `server`."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        for document in of_kind(*_PLACES):
            made(server, _PLACES[document["kind"]], document)
        for account in ACCOUNTS:
            path = f"{_PLACES['ServiceAccount']}/{account}/token"
            answer = server.request("POST", path, {"spec": {"expirationSeconds": 7200}})
            assert answer.status == 201, answer.message
            server.add_user(account, answer.body["status"]["token"])
        self._await({account: granted(account) for account in ACCOUNTS}, allowed=True)

    def remove(self) -> None:
        """Take them off the server."""
        for document in of_kind(*_PLACES):
            place = _PLACES[document["kind"]]
            self.server.request("DELETE", f"{place}/{document['metadata']['name']}")

    def take(self, account: str, rights: Collection[Right]) -> None:
        """Take rights from an account, until `restore`."""
        for role in of_kind("ClusterRole", "Role"):
            if role["metadata"]["name"] == account:
                everywhere = role["kind"] == "ClusterRole"
                self._write({**role, "rules": list(_rules(role, rights, everywhere=everywhere))})
        self._await({account: rights}, allowed=False)

    def restore(self, account: str, rights: Collection[Right]) -> None:
        """Give back what was taken."""
        for role in of_kind("ClusterRole", "Role"):
            self._write(role)
        self._await({account: rights}, allowed=True)

    def _write(self, role: dict[str, Any]) -> None:
        path = f"{_PLACES[role['kind']]}/{role['metadata']['name']}"
        answer = self.server.request("PUT", path, role)
        assert answer.status == 200, answer.message

    def _await(self, rights: dict[str, Collection[Right]], *, allowed: bool) -> None:
        """Wait until the server knows of a change: it learns of roles by a watch of its own."""
        pairs = [(account, one) for account, found in rights.items() for one in found]
        poll(lambda: all(self._may(*pair) is allowed for pair in pairs), "known to the server")

    def _may(self, account: str, right: Right) -> bool:
        group, resource, *subresource = right.resource.split("/")
        attributes = {
            "verb": right.verb,
            "group": group,
            "resource": resource,
            "subresource": "".join(subresource),
            "namespace": "" if right.everywhere else NAMESPACE,
            "name": right.name,
        }
        body = {"spec": {"user": user(account), "resourceAttributes": attributes}}
        answer = self.server.request("POST", _REVIEWS, body)
        assert answer.status == 201, answer.message
        return bool(answer.body["status"]["allowed"])


class Asked:
    """What one account has asked the API server for since this was made."""

    def __init__(self, server: ApiServer, account: str) -> None:
        self._server = server
        self._account = account
        self._before = len(server.audited())

    def _requests(self) -> list[tuple[Right, int]]:
        events = self._server.audited()[self._before :]
        return [
            (_right(one["verb"], one["objectRef"]), one["responseStatus"]["code"])
            for one in events
            if one["user"]["username"] == user(self._account)
            and "resource" in one.get("objectRef", {})
        ]

    def refused(self) -> set[Right]:
        """What was answered 401 or 403; names are those of objects."""
        return {right for right, status in self._requests() if status in (401, 403)}

    def unused(self) -> set[Right]:
        """Rights that the account has and made no use of."""
        used = {right for right, status in self._requests() if status not in (401, 403)}
        return {one for one in granted(self._account) if not any(covers(one, it) for it in used)}


def covers(right: Right, request: Right) -> bool:
    """Tell whether a request makes use of a right."""
    return right[:3] == request[:3] and right.name in ("", request.name)


def _right(verb: str, asked: dict[str, str]) -> Right:
    subresource = f"/{asked['subresource']}" if "subresource" in asked else ""
    resource = f"{asked.get('apiGroup', '')}/{asked['resource']}{subresource}"
    everywhere = asked.get("namespace", "") != NAMESPACE
    return Right(verb, resource, everywhere, asked.get("name", ""))


def _rules(
    role: dict[str, Any], rights: Collection[Right], *, everywhere: bool
) -> Iterator[dict[str, Any]]:
    """Write down the rest of a role's rights, a rule each."""
    for rule in role["rules"]:
        for one in rights_of(rule, everywhere=everywhere):
            if one not in rights:
                group, _, resource = one.resource.partition("/")
                names = {"resourceNames": [one.name]} if one.name else {}
                yield {"apiGroups": [group], "resources": [resource], "verbs": [one.verb], **names}
