"""What is fast, measured against named rivals on the same machine in the same minutes; never a timed test.

`python -m benchmarks` runs all and prints one summary, `python -m benchmarks.send` one of them; --quick takes
smaller sizes. The figures that count are the ratios: see docs/speed.md.
"""
