"""Pure arithmetic: no I/O, no Flask, no SQL and no clock; `now` is always an argument."""
