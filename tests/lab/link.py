"""One end of a slow link: link.py INTERFACE DELAY_MS, run inside a namespace.

Packets that the kernel sends into the TUN device wait for the delay and then go to the other end through the socket on
descriptor 0; what comes from there is put into the device at once. Loss is not made here: a rule of the firewall drops
packets and counts them. No netem is needed, which many kernels lack.
"""

import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000

name, delay = sys.argv[1], float(sys.argv[2]) / 1000
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "link", "set", name, "up", "mtu", "1500"], check=True)
os.set_blocking(0, False)
print("ready", flush=True)

waiting = collections.deque()  # (when due, packet): one delay for all, so first in is first out
while True:
    timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
    readable, _, _ = select.select([tun, 0], [], [], timeout)
    if tun in readable:
        waiting.append((time.monotonic() + delay, os.read(tun, 65536)))
    if 0 in readable:
        packet = os.read(0, 65536)
        if not packet:
            break  # the other end is gone
        os.write(tun, packet)
    while waiting and waiting[0][0] <= time.monotonic():
        try:
            os.write(0, waiting.popleft()[1])
        except BlockingIOError:
            pass  # a full queue loses packets, as queues do
        except (BrokenPipeError, ConnectionRefusedError):
            sys.exit(0)
