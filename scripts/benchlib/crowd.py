"""Many spectators of one name in a process of their own: each reads its events and nothing else.

Usage: python -m benchlib.crowd PORT NAME COUNT. Prints `watching` when all are in; ends when all have seen the end.
"""

import resource
import select
import socket
import sys


def main() -> int:
    port, name, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    last: dict[int, bytes] = {}
    poll = select.epoll()
    for one in crowd:
        one.sendall(f"GET /{name}?progress HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
    for one in crowd:
        if not one.recv(65536).startswith(b"HTTP/1.1 200"):
            return 1
        last[one.fileno()] = b""
        poll.register(one, select.EPOLLIN)
    print("watching", flush=True)
    by_number = {one.fileno(): one for one in crowd}
    done = 0
    while by_number:
        for number, _ in poll.poll():
            piece = by_number[number].recv(65536)
            if piece:
                last[number] = (last[number] + piece)[-1024:]
                continue
            done += b"event: done" in last[number] and last[number].endswith(b"0\r\n\r\n")
            poll.unregister(number)
            by_number.pop(number).close()
    print("all saw it done" if done == count else f"only {done} of {count} saw the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
