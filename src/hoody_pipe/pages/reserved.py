"""The texts under reserved names: the cheat sheet, robots.txt, the empty icon (protocol A.1, G)."""

_HELP = """\
Hoody Pipe {version}
Streaming Data Transfer over HTTP

======= Get  =======
curl -f {url}/mypath > myfile

======= Send =======
# a file (its length is known, so the kernel moves it)
curl -fT myfile {url}/mypath

# text, or whatever a command prints
echo hello | curl -fT - {url}/mypath

# a directory
tar c mydir | curl -fT - {url}/mypath

Either side may come first; each waits 300 seconds, or as long as ?wait= says (1-3600).
An exit code of 0 of either curl means that every byte arrived.

======= Names =======
# to three receivers at once: every party says ?n=3
curl -fT myfile '{url}/mypath?n=3'
curl -f '{url}/mypath?n=3' > myfile

# choose the file name that a browser saves
{url}/mypath?download
{url}/mypath?filename=report.pdf

======= Databases =======
set -o pipefail
pg_dump -Fc mydb | curl -fT - {url}/mypath
curl -f {url}/mypath | pg_restore -1 -e -d mydb

======= End-to-end encryption =======
openssl enc -aes-256-cbc -pbkdf2 < myfile | curl -fT - {url}/mypath
curl -f {url}/mypath | openssl enc -d -aes-256-cbc -pbkdf2 > myfile
"""


def render(path: str, host: str, version: str) -> tuple[int, str]:
    """The status and plain text of a reserved path; `host` is what the client called this server."""
    if path in ("/help", "/"):
        return 200, _HELP.format(version=version, url=f"http://{host}/api/v1/pipe")
    if path == "/robots.txt":
        return 200, "User-agent: *\nDisallow: /\n"
    if path == "/favicon.ico":
        return 204, ""
    return 501, f"[ERROR] '{path}' is not available on this server.\n"
