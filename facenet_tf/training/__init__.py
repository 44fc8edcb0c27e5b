"""The trainer: config, heads, train step, callbacks, and the run directory it leaves."""
