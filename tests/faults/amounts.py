"""How much of a fault makes a test: little in `make test`, much in `make soak`, which sets FAULTS=full."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, settings

FULL = os.environ.get("FAULTS") == "full"

BROWSER_KILLS = 100 if FULL else 1
RENDERER_CRASHES = 100 if FULL else 2
TABS, APPENDS = (8, 1_000) if FULL else (3, 80)
VALUES = 10_000 if FULL else 100
IMPORT_KILLS, IMPORTED_EVENTS = (10, 20_000) if FULL else (1, 3_000)
RELOADS, TURN_KILLS = (50, 50) if FULL else (3, 1)
PROXY_RUNS, SERVER_KILLS = (200, 20) if FULL else (12, 4)
NETWORK_RUNS, CLIENT_CHANGES = (200, 50) if FULL else (60, 15)
IMPORT_KILLED_WITH = ("browser", "renderer") if FULL else ("browser",)

SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1 << 32))
"""What decides when a kill comes and what is written until then; every test prints it. The moment itself is as
random as the machine."""


def generated(examples: int) -> settings:
    """So many examples: the same in every short run, others in each full one. No deadline: a browser may be slow."""
    return settings(
        max_examples=examples,
        derandomize=not FULL,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
