"""A worker whose process may take 900 MiB more than its libraries: run by test_out_of_memory."""

import resource

import psutil
import torch._dynamo  # loaded before the limit, as are the rest of a job's libraries

import harness.run.job.stages
from harness.run.execute.worker import main

LEFT = 900 * 2**20

__all__ = ["harness", "torch"]

if __name__ == "__main__":
    limit = psutil.Process().memory_info().vms + LEFT
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    main()
