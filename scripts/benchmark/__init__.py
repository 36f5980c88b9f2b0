"""The comparison with peers: starts systems side by side, gives them the same work in turns, and reports.

Only Python's standard library. `scripts/bench` is the way in; `plan.py` says what is measured, one module for each system how it
is run, `rounds.py` in which order, `report.py`, `plots.py` and `page.py` what becomes of it.
"""
