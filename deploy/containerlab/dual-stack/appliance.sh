#!/bin/sh
# Waits for the node's link, gives it its addresses, and announces.
set -eu
while [ "$(ls /sys/class/net | grep -c '^eth[1-9]')" -lt "${CLAB_INTFS:-1}" ]; do sleep 0.1; done
ip addr add 10.0.0.2/24 dev eth1
ip addr add 2001:db8::2/64 dev eth1
ip link set eth1 up
exec orchestrator run -f /etc/orchestrator
