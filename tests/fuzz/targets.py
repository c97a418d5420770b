"""What is fuzzed, by name, and what is tried of each before anything new."""

from collections.abc import Callable
from pathlib import Path

from fuzz import chunked, head, multipart, names, query
from fuzz.seeds import SEEDS

CORPUS = Path(__file__).parent / "corpus"
TARGETS: dict[str, Callable[[bytes], None]] = {
    "head": head.check,
    "chunked": chunked.check,
    "multipart": multipart.check,
    "names": names.check,
    "query": query.check,
}


def kept(target: str) -> list[bytes]:
    """The seeds, and what fuzzing has found."""
    return SEEDS[target] + [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]
