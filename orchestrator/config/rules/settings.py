"""The one Settings object, with Secrets and what an old ConfigMap says beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.config.faults import Faults, named
from orchestrator.config.kinds.secret import MEMBER_KEY, Secret
from orchestrator.config.kinds.settings import SettingsDraft
from orchestrator.config.link import Accepted, Clash, Linking
from orchestrator.model.problem import Severity
from orchestrator.model.settings import Settings

_AUTH_SECRET = ("spec", "membership", "authSecret")


@dataclass(frozen=True, slots=True)
class SettingsRules:
    """What Settings refer to.

    `without` are the settings where there is no such object; what it leaves open is as there.
    """

    secrets: Mapping[str, Secret]
    without: Settings
    namespace: str

    def linking(self) -> Linking:
        """Return the rules as `settle` takes them."""
        return Linking(self._link, _one_settings)

    def _link(self, draft: SettingsDraft, faults: Faults) -> Settings:
        name = draft.settings.membership.auth_secret
        settings = draft.settings
        if name is not None:
            keys = self._keys(name, faults)
            settings = replace(settings, membership=replace(settings.membership, keys=keys))
        if draft.excluded is None:
            return replace(settings, excluded_interfaces=self.without.excluded_interfaces)
        return replace(settings, excluded_interfaces=draft.excluded)

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
