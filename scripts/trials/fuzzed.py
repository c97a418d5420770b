"""Fuzzes one target in a process of its own, which libFuzzer never lets go: python -m trials.fuzzed TARGET FLAG..."""

import importlib
import sys
from typing import Any

if __name__ == "__main__":
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["hoody_pipe", "python_multipart", "fuzz"]):
        from fuzz.targets import TARGETS
    again = f"{sys.executable} -m trials.fuzzed {sys.argv[1]}"  # how libFuzzer starts another one, to merge
    atheris.Setup([again, *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
