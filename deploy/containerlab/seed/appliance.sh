#!/bin/sh
# Waits for the node's links, gives it its address, and starts the service and its announcer.
set -eu
while [ "$(ls /sys/class/net | grep -c '^eth[1-9]')" -lt "${CLAB_INTFS:-1}" ]; do sleep 0.1; done
ip addr add "$ADDRESS/24" dev eth1
ip link set eth1 up
ip route add default via 192.168.121.1
python3 -m orchestrator.lab.web "$(hostname)" 192.168.143.230 80 &
exec orchestrator run -f /etc/orchestrator
