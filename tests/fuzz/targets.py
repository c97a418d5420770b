"""What is fuzzed, by name."""

from collections.abc import Callable
from pathlib import Path

from fuzz import chunked, head, multipart, names, query

CORPUS = Path(__file__).parent / "corpus"
TARGETS: dict[str, Callable[[bytes], None]] = {
    "head": head.check,
    "chunked": chunked.check,
    "multipart": multipart.check,
    "names": names.check,
    "query": query.check,
}
