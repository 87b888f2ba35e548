"""Every lookup of Python's socket module, printed a line each.

Argument: getaddrinfo (with getnameinfo), or gethostby for the older calls.
"""

import socket
import sys

OLDER = sys.argv[1] == "gethostby"

NAMES = [
    "www.example.test", "alias.example.test", "many.example.test", "v6.example.test", "www",
    "hosted", "localhost", "text.example.test", "absent.example.test", "192.0.2.80", "127.1",
]


def show(call, *arguments, **named):
    words = [repr(a) for a in arguments] + [f"{k}={int(v)}" for k, v in named.items()]
    print(f"{call.__name__}({', '.join(words)}):", end=" ")
    try:
        print(call(*arguments, **named))
    except OSError as error:
        print(type(error).__name__, error)


for name in NAMES:
    if OLDER:
        show(socket.gethostbyname, name)
        show(socket.gethostbyname_ex, name)
        show(socket.getfqdn, name)
        continue
    show(socket.getaddrinfo, name, 80)
    show(socket.getaddrinfo, name, "http", family=socket.AF_INET, type=socket.SOCK_STREAM)
    show(socket.getaddrinfo, name, None, family=socket.AF_INET6, flags=socket.AI_CANONNAME)
    show(socket.getaddrinfo, name, 53, type=socket.SOCK_DGRAM,
         flags=socket.AI_ADDRCONFIG | socket.AI_V4MAPPED | socket.AI_ALL)
if not OLDER:
    show(socket.getaddrinfo, None, 80, flags=socket.AI_PASSIVE)
    show(socket.getaddrinfo, "www.example.test", "no-such-service")

for address in ["192.0.2.80", "192.0.2.81", "192.0.2.99", "192.0.2.90", "127.0.0.5", "2001:db8::80",
                "2001:db8::99", "::1"]:
    if OLDER:
        show(socket.gethostbyaddr, address)
        continue
    for flags in [0, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV, socket.NI_NAMEREQD,
                  socket.NI_NOFQDN | socket.NI_DGRAM]:
        show(socket.getnameinfo, (address, 53), flags)
