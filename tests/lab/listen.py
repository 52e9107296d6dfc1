"""Holds ports: listen.py LOW HIGH. Connections open, as the kernel does that alone, and nobody ever answers."""

import socket
import sys
import threading

sockets = []
for port in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after earlier connections
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    listener.listen(16)
    sockets.append(listener)
print("ready", flush=True)
threading.Event().wait()
