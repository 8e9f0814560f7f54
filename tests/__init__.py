"""The tests: they mirror `app/`, and go through the front door with real parts."""
