"""Code that runs a session again and again and takes the time of each run, as `gui.engine.timed_loop` does."""

from __future__ import annotations

from .script_elements import number_code
from .trial import TrialSettings


def measure_code(settings: TrialSettings) -> str:
    """Return the function `measure` of a script: for one caller, or for several."""
    return "\n".join(_alone(settings) if settings.callers == 1 else _together(settings))


def measuring_lines(settings: TrialSettings) -> list[str]:
    """Return the statements that warm up and measure."""
    rule = settings.stop_rule
    limits = [f"iterations={rule.iterations}"] if rule.iterations is not None else []
    if rule.seconds is not None:
        limits.append(f"seconds={number_code(rule.seconds)}")
    if rule.stable_percent is not None:
        limits.append(f"stable_percent={number_code(rule.stable_percent)}")
    lines = ["    gc.collect()", "    gc.disable()"]
    if settings.warmup:
        lines.append(f"    measure(calls, iterations={settings.warmup})")
    return [*lines, f"    samples, measured_ns = measure(calls, {', '.join(limits)})", "    gc.enable()"]


def _alone(settings: TrialSettings) -> list[str]:
    rule = settings.stop_rule
    is_timed, is_stable = rule.seconds is not None, rule.stable_percent is not None
    conditions = ["len(samples) != iterations"]
    lines = [
        f"def measure(calls, {_parameters(settings)}):",
        '    """Return the samples in nanoseconds, and the wall-clock time up to the end of the last run."""',
        "    function, arguments = calls[0]",
        '    samples = array("q")',
        f"    began = last = {'now = ' if is_timed else ''}clock()",
    ]
    if is_timed:
        lines.append('    deadline = began + int(seconds * 1e9) if seconds is not None else float("inf")')
        conditions.append("now < deadline")
    if is_stable:
        lines.append("    stability, is_steady, look_at = Stability(stable_percent), False, began + 33_000_000")
        conditions.append("not is_steady")
    lines += [
        f"    while {' and '.join(conditions)}:",
        "        start = clock()",
        "        function(*arguments)",
        f"        {'now = ' if is_timed else ''}last = clock()",
        "        samples.append(last - start)",
    ]
    if is_stable:
        lines += [
            "        if last >= look_at:",
            "            is_steady = stability.is_reached(samples)",
            "            look_at = clock() + 33_000_000",
        ]
    lines += _pause(settings, "        ", "last")
    return [*lines, "    return np.array(samples, np.int64), last - began"]


def _together(settings: TrialSettings) -> list[str]:
    rule = settings.stop_rule
    is_timed, is_stable = rule.seconds is not None, rule.stable_percent is not None
    conditions = ["not ends.is_set()"]
    if is_timed:
        conditions.append("now < deadline")
    conditions.append(
        "(iterations is None or next(tickets) < iterations)" if is_timed else "next(tickets) < iterations"
    )
    deadline = '            deadline = began + int(seconds * 1e9) if seconds is not None else float("inf")'
    return [
        f"def measure(calls, {_parameters(settings)}):",
        '    """Return the samples of all callers in nanoseconds, and the wall-clock time up to their last run."""',
        "    tickets, gate, ends = itertools.count(), threading.Barrier(len(calls) + 1), threading.Event()",
        "    taken, last, errors = [[] for _ in calls], [0] * len(calls), []",
        "",
        "    def call_again(number):",
        "        function, arguments = calls[number]",
        "        gate.wait()",
        "        try:",
        *([deadline, "            now = began"] if is_timed else []),
        f"            while {' and '.join(conditions)}:",
        "                start = clock()",
        "                function(*arguments)",
        "                now = clock()",
        "                taken[number].append(now - start)",
        "                last[number] = now",
        *_pause(settings, "                ", "now"),
        "        except Exception as error:  # noqa: BLE001 raised again below",
        "            errors.append(error)",
        "            ends.set()",
        "",
        "    threads = [threading.Thread(target=call_again, args=(number,)) for number in range(len(calls))]",
        "    for thread in threads:",
        "        thread.start()",
        "    began = clock()",
        "    gate.wait()",
        *(_looking() if is_stable else ["    for thread in threads:", "        thread.join()"]),
        "    if errors:",
        "        raise errors[0]",
        "    return np.array([sample for part in taken for sample in part], np.int64), max(last) - began",
    ]


def _looking() -> list[str]:
    return [
        "    stability = Stability(stable_percent)",
        "    while any(thread.is_alive() for thread in threads):",
        "        next(thread for thread in threads if thread.is_alive()).join(0.033)",
        "        if not ends.is_set() and stability.is_reached([sample for part in taken for sample in part]):",
        "            ends.set()",
    ]


def _parameters(settings: TrialSettings) -> str:
    rule = settings.stop_rule
    if rule.seconds is None:
        return "iterations"
    return "iterations=None, seconds=None" + (", stable_percent=None" if rule.stable_percent is not None else "")


def _pause(settings: TrialSettings, indent: str, ended: str) -> list[str]:
    if not settings.pause_ms:
        return []
    if settings.stop_rule.seconds is None:
        return [f"{indent}time.sleep(PAUSE_S)"]
    return [f"{indent}time.sleep(min(PAUSE_S, max(0, deadline - {ended}) / 1e9))", f"{indent}now = clock()"]
