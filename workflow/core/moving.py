"""Moving an open case from one version of a flow to another: only where the new one has the same place for it."""

from __future__ import annotations

from workflow.core.errors import N_, Reason
from workflow.core.flow import Flow


def hindrance(old: Flow, new: Flow, state: str) -> Reason | None:
    """Why a case in ``state`` of ``old`` can't go on in ``new``, or None when it can."""
    if state not in new.states:
        label = old.state(state).label
        return Reason(N_("新版本没有“%(state)s”这个环节"), {"state": label})
    before, after = old.state(state), new.state(state)
    if (before.kind, before.holder, before.permits) != (after.kind, after.holder, after.permits):
        return Reason(N_("新版本里“%(state)s”由别的角色办理或性质不同"), {"state": before.label})
    return None
