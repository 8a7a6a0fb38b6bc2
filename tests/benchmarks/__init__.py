"""Benchmarks: scripts that print ratios and gaps, and whether they keep their bounds. pytest collects none of them.

From the root of the repository, on a machine that is otherwise idle:

    python -m tests.benchmarks.truth         # do trials in the engine measure what a plain script measures?
    python -m tests.benchmarks.smoothness    # does the window answer while samples stream in at full speed?
    python -m tests.benchmarks.start         # how much later than the emptiest window is this one there?

Each exits with 0 whether its bounds are kept or not.
"""
