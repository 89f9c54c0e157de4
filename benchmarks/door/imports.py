"""What importing the resilience core costs beside other libraries: CPU milliseconds beyond Python itself, medians.

/tmp/peers/bin/python benchmarks/door/imports.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
from statistics import median

ROUNDS = 15
IMPORTS = {
    "nothing": "pass",
    "ours: the resilience core": "import cinegraph_core.resilience.breaker, cinegraph_core.resilience.retry, "
    "cinegraph_core.resilience.allowance, cinegraph_core.resilience.cache, cinegraph_core.resilience.quota, "
    "cinegraph_core.resilience.budget, cinegraph_core.resilience.rate",
    "ours: import cinegraph_core": "import cinegraph_core",
    "ours: from cinegraph_core import hookimpl, Source": "from cinegraph_core import hookimpl, Source",
    "tenacity": "import tenacity",
    "nopanic": "import nopanic",
    "interlock": "import interlock",
    "pyresilience": "import pyresilience",
    "limits": "import limits",
}


def cpu(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def main() -> None:
    rounds: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(ROUNDS):
        for name, code in IMPORTS.items():
            rounds[name].append(cpu(code))
    floor = median(rounds["nothing"])
    for name, times in rounds.items():
        print(f"{name:52} {median(times) - floor:6.1f} ms")


if __name__ == "__main__":
    main()
