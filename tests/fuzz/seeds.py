"""What fuzzing begins with: attacks that are known, things as they should be, and what once broke a promise."""

from blackbox.attacks import BROKEN_CHUNKS, REFUSED, WHOLE

PUT = b"PUT /name HTTP/1.1\r\nHost: a\r\n"
FILE = b'--xyz\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/html\r\n\r\n'
TEXT = b'--xyz\r\nContent-Disposition: form-data; name="input_text"\r\n\r\n'
OTHER = b"--xyz\r\nContent-Disposition: form-data; name=other\r\n\r\n1\r\n"
END = b"\r\n--xyz--\r\n"
SHORT = 1_000  # bytes; what is longer is tried elsewhere

HEADS = [
    *(attack.aimed("name", "other") for attack in REFUSED.values() if len(attack.data) < SHORT),
    *(PUT + b"".join(field + b"\r\n" for field in fields) + b"\r\n" for fields, _, _ in WHOLE.values()),
    PUT + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    PUT + b"Connection: keep-alive\r\nConnection: Close\r\n\r\n",
    b"GET /caf\xc3\xa9/\xff?x=%41 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    b"\r\nGET / HTTP/1.0\r\n\r\n",
]
CHUNKS = [
    *(body for body in BROKEN_CHUNKS if len(body) < SHORT),
    *(body for _, body, _ in WHOLE.values()),
    b"10\r\n" + b"x" * 16 + b"\r\n",
    b"2\r\nxy\r\n" * 30 + b"0\r\n\r\n",
    b"2\r\nxy\r\n" * 20 + b"2\r\nxy\n\r" + b"2\r\nxy\r\n" * 20,
]
FORMS = [
    *(FILE + data + END for data in (b"", b"hello", b"\r\n--xy", b"\r\n--xyz-", b"\r\n\r\n", b"--xyz\r\n")),
    *(OTHER + TEXT + data + END for data in (b"", b"hello", b"x" * 100)),
    TEXT + b"text\r\n" + FILE + b"file" + END,
    FILE + b"cut",
    FILE + b"file\r\n--xyz\r\nno colon\r\n\r\n",
    b"\r\n\n" + FILE + b"file" + END,
    b"\npreamble " + FILE + b"file" + END,
    b"--xyz\r\nContent-Disposition: form-data; filename*=UTF-8''%e2%82%ac\r\n\r\nx" + END,
    b'--xyz \r\nContent-Disposition: form-data; filename="a\r\nX: y"\r\n\r\n' + END,
    b"--xyz\r\n" + b"A: b\r\n" * 9 + b"\r\n" + END,
]
NAMES = [
    *(b"x", b"api/v1/pipe/x", b"help", b"help/.", b"Health.", b"metrics..", b"favicon.ico", b"openapi.json/", b"..."),
    *(b"%2e%2e/x", b"%2f", b"%5c", b"a%0a", b"%41%zz", b"caf%c3%a9", b"caf\xc3\xa9", b"\xff", b"%E2%80%AE.txt"),
    *(b"a/b//c/", b"//", b"x" * 64, b"x" * 65, b"N%61me"),
]
QUERIES = [
    *(
        b"n=3&wait=5&require=any",
        b"n=257",
        b"wait=0",
        b"size=1.5GiB",
        b"size=9E",
        b"size=1ib",
        b"size=1%e2%84%aa",
        b"quiet=0",
    ),
    *(b"filename=a%0d%0ab", b"filename=%e2%82%ac", b"filename=\xff", b"download&filename=..%2f", b"download=false"),
    *(
        b"status&transfer=abcdefghijklmnop",
        b"status&last",
        b"transfer=abcdefghijklmnop&sha256",
        b"ws",
        b"live",
        b"progress",
    ),
    *(b"/help", b"/health", b"/api/v1/pipe/metrics", b"/api/v1/pipe/x?n=2", b"progress\naccept: text/html"),
    b"\ncontent-type: text/html; charset=utf-8",
    b"\ncontent-type: multipart/form-data; boundary=xyz",
    b'\ncontent-type: multipart/form-data; boundary="a b"',
    b'\ncontent-disposition: inline; filename="a\\"b"',
    b"\ncontent-disposition: form-data; filename*=utf-8''%e2%82%ac%0d",
    b"\ncontent-disposition: attachment; filename=\x85\xff",
    b"\nx-piping: a\x85b\nx-hoody-pipe: c",
    b"\ncontent-range: bytes 0-1/2",
    b"\nservice-worker: script",
    b"\nvia: 1.1 x\ncontent-length: 12",
]
SEEDS = {"head": HEADS, "chunked": CHUNKS, "multipart": FORMS, "names": NAMES, "query": QUERIES}
