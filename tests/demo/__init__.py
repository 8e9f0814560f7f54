"""A service to look at: a year of made-up history, and traffic that goes on with the story: `make demo`."""
