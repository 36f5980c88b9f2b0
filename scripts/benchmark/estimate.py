"""How long a run's cells take, roughly: for the time that is left."""

from .plan import Failover, Local, Plan, Silence, systems_of

#: Starting a load, letting the disk settle, probing it.
_AROUND_SECONDS = 0.7
#: What systems need for a leader that goes: the gap, settling, coming back.
_KILL_SECONDS = {"holdfast": 4, "etcd": 6, "nats": 14}
_SILENCE_SECONDS = {"holdfast": 5, "etcd": 7, "nats": 18}
_PER_GIBIBYTE_SECONDS = {"holdfast": 14, "etcd": 47, "nats": 47, "postgresql": 42, "floor": 6}


def cells(plan: Plan, chosen: tuple[str, ...]) -> list[tuple[float, str]]:
    """Seconds and title, with its system, of each cell of a run."""
    seconds = (plan.duration_ms + plan.warm_up_ms) / 1000 + _AROUND_SECONDS
    found = []
    for work in plan.works:
        cost = seconds * 4 if isinstance(work, Local) else seconds
        for system in systems_of(work, chosen):
            found += [(cost, f"{system}: {work.title}")] * plan.rounds
    kinds: list[tuple[Failover | Silence, dict[str, int], int]] = [
        (plan.failover, _KILL_SECONDS, plan.kills), (plan.silence, _SILENCE_SECONDS, plan.silences)]
    for work, costs, count in kinds:
        for system in systems_of(work, chosen):
            found += [(costs[system], f"{system}: {work.title}")] * count
    share = plan.catch_up.byte_count / (1 << 30)
    for system in (*systems_of(plan.catch_up, chosen), "floor"):
        cost = 6 + _PER_GIBIBYTE_SECONDS[system] * share
        found += [(cost, f"{system}: {plan.catch_up.title}")] * plan.catch_up_rounds
    return found
