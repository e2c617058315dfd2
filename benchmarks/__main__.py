"""`python -m benchmarks` runs those that take minutes; `history_month` and `ten_years` are run by name."""

from benchmarks import cycle, exposition, history, logs, peaks, report, snmp, store

for benchmark in (cycle, exposition, store, history, peaks, report, snmp, logs):
    print(f"\n== {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
    benchmark.main()
