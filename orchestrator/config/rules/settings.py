"""The one Settings object, with Secrets and what an old ConfigMap says beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.config.faults import Faults, named
from orchestrator.config.kinds.secret import Secret
from orchestrator.config.kinds.settings import SettingsDraft
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.model.problem import Severity
from orchestrator.model.settings import MEMBER_KEY, Membership, Settings

_AUTH_SECRET = ("spec", "membership", "authSecret")


@dataclass(frozen=True, slots=True)
class SettingsRules:
    """What Settings refer to.

    `without` are the settings where there is no such object, with the keys of members; what an
    object leaves open is as there.
    """

    secrets: Mapping[str, Secret]
    without: Settings
    namespace: str

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, _one_settings)

    def _link(self, draft: SettingsDraft, faults: Faults) -> Settings:
        settings = replace(draft.settings, membership=self._keyed(draft, faults))
        if draft.excluded is None:
            return replace(settings, excluded_interfaces=self.without.excluded_interfaces)
        return replace(settings, excluded_interfaces=draft.excluded)

    def _keyed(self, draft: SettingsDraft, faults: Faults) -> Membership:
        membership, name = draft.settings.membership, draft.settings.membership.auth_secret
        if name is None:
            default = self.without.membership
            return replace(membership, auth_secret=default.auth_secret, keys=default.keys)
        if not name:
            return replace(membership, auth_secret=None)
        return replace(membership, keys=self._keys(name, faults))

    def _keys(self, name: str, faults: Faults) -> tuple[bytes, ...]:
        """Return the keys of the Secret `name`; none where they are missing, which is a fault."""
        secret = self.secrets.get(name)
        if secret is None:
            faults.add(
                _AUTH_SECRET,
                f"there is no Secret {self.namespace}/{named(name)}",
                "missingSecret",
                severity=Severity.WAITING,
                hint="members do not speak without their key",
            )
            return ()
        if not secret.member_keys:
            message = f"Secret {self.namespace}/{named(name)} has no key {MEMBER_KEY}"
            faults.add(_AUTH_SECRET, message, "invalidSecret")
        return secret.member_keys


def _one_settings(value: Any, accepted: Accepted) -> Clash | None:
    del value
    for key in accepted:
        message = f"{key} is in force already, and there can be one"
        return Clash((), message, "duplicateSettings", "put all settings into one object")
    return None
