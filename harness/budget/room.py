"""How many bytes a process may still take."""

from __future__ import annotations

import psutil


def room() -> int:
    """Bytes to the nearest limit: of the address space, of data, or what the machine has left."""
    left = [psutil.virtual_memory().available]
    if psutil.LINUX:
        import resource

        taken = psutil.Process().memory_info()
        limits = ((resource.RLIMIT_AS, taken.vms), (resource.RLIMIT_DATA, taken.data))
        for limit, used in limits:
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                left.append(most - used)
    return max(0, min(left))
