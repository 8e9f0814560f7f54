"""The hot path, standard library only: from a request to cells in memory that all workers share.

`hook` times a request, `naming` says which tool it was, `recorder` counts it in this worker's `cells`,
and `reader` merges the cells of all workers into one Snapshot.
"""
