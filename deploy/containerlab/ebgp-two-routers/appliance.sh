#!/bin/sh
# Waits for the node's links, gives it its addresses, and announces.
set -eu
while [ "$(ls /sys/class/net | grep -c '^eth[1-9]')" -lt "${CLAB_INTFS:-1}" ]; do sleep 0.1; done
ip addr add 10.0.1.2/24 dev eth1
ip addr add 10.0.2.2/24 dev eth2
ip link set eth1 up
ip link set eth2 up
exec orchestrator run -f /etc/orchestrator
