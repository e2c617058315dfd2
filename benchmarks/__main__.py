"""`python -m benchmarks` runs all of them."""

from benchmarks import cycle, exposition, store

for benchmark in (cycle, exposition, store):
    print(f"\n== {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
    benchmark.main()
