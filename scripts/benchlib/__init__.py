"""The parts of scripts/bench: what is measured, on whom, with which load, against which goals."""
