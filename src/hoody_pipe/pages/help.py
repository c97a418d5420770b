"""The cheat sheet (protocol G): every line of it is run by a test."""

_TEXT = """\
Hoody Pipe {version}
Streaming Data Transfer over HTTP

A named path is a pipe: one side sends to it, the other receives from it, and nothing is stored. Either side may come
first; each waits 300 seconds for the other, or as long as ?wait= says (1-3600). An exit code of 0, of either curl,
means that every byte arrived: keep the -f, and `set -o pipefail` in scripts.

======= Get  =======
curl -f {url}/mypath > myfile

======= Send =======
# a file
curl -fT myfile {url}/mypath

# text, or whatever a command prints
echo hello | curl -fT - {url}/mypath

# a directory, and how to unpack it (i: to the very end; tar alone may leave before the last zeros, and curl fails)
tar c mydir | curl -fT - {url}/mypath
curl -f {url}/mypath | tar xi

# compressed on the way
tar c mydir | zstd -3 | curl -fT - {url}/mypath
curl -f {url}/mypath | zstd -d | tar xi

# a form with a file in it
curl -fF file=@myfile {url}/mypath

======= Databases =======
# all or nothing: pg_restore notices a dump that was cut, and -1 undoes everything then
set -o pipefail
pg_dump -Fc mydb | curl -fT - {url}/mypath
curl -f {url}/mypath | pg_restore -1 -e -d mydb

# as SQL text: into a new database, which gets its name only if the marker behind the whole dump arrives
(pg_dump mydb && echo "SELECT 'WHOLE';") | zstd | curl -fT - {url}/mypath
createdb mydb_new
curl -f {url}/mypath | zstd -d | psql -XqAt -v ON_ERROR_STOP=1 -d mydb_new | grep -x WHOLE &&
    psql -X -d postgres -c 'ALTER DATABASE mydb_new RENAME TO mydb'

======= Several receivers =======
# everybody says how many; the stream starts when all are there, and the slowest sets the pace
curl -fT myfile '{url}/mypath?n=3'
curl -f '{url}/mypath?n=3' > myfile

# one complete receiver is enough
curl -fT myfile '{url}/mypath?n=3&require=any'

======= Names of files =======
# what a browser calls the file that it saves
curl -fOJ '{url}/mypath?download'
curl -fOJ '{url}/mypath?filename=report.pdf'

======= Watching =======
# takes no receiver's place and slows nothing; a browser shows a page. ?size= makes percent and ETA known for a stream
curl -fN '{url}/mypath?progress'
curl -f '{url}/mypath?status'
curl -f '{url}/mypath?status&last'
mycommand | curl -fT - '{url}/mypath?size=200G'

======= Checksums and receipts =======
# the sender reads the digest of what the receiver got; compare it with sha256sum on either side
curl -fT myfile '{url}/mypath?sha256'

# an id of your own (16-64 of A-Z a-z 0-9 _ -), and ten minutes to ask how it ended
curl -fT myfile '{url}/mypath?transfer=backup-2026-11-24'
curl -f '{url}/mypath?status&transfer=backup-2026-11-24'

======= End-to-end encryption =======
# with a passphrase that both sides know
openssl enc -aes-256-cbc -pbkdf2 -pass file:secret < myfile | curl -fT - {url}/mypath
curl -f {url}/mypath | openssl enc -d -aes-256-cbc -pbkdf2 -pass file:secret > myfile

# with the receiver's key (age-keygen -o key.txt); a stream that was changed or cut is noticed
age -R key.pub < myfile | curl -fT - {url}/mypath
curl -f {url}/mypath | age -d -i key.txt > myfile

More: {url}/openapi.json, {url}/health, {url}/metrics
"""


def render(version: str, url: str) -> str:
    """The text; `url` is where the asker reaches the pipes."""
    return _TEXT.format(version=version, url=url)
