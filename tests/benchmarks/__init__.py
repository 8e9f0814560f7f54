"""What Laptime costs, beside others that measure Flask: `make bench`."""
