# make demo   see it work on this machine     make test   everything that CI runs
PYTHON ?= python3
LAB_PACKAGES = frr iproute2 procps
KUBE_PACKAGES = etcd-server openssl iptables
TEST_PACKAGES = $(LAB_PACKAGES) $(KUBE_PACKAGES) bird2 keepalived nftables tcpdump arping curl faketime iputils-ping
DEMO_PACKAGES = $(LAB_PACKAGES) $(if $(findstring kube,$(ARGS)),$(KUBE_PACKAGES))

.PHONY: demo test install bench clean

install: .venv/installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/system-packages python3-venv
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python setup.cfg deploy/constraints.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e .
	@touch $@

.venv/tested: .venv/installed
	.venv/bin/pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[test,dev]'
	@touch $@

# Without the packages the demo runs in its smaller form, and says what it leaves out.
demo: .venv/installed
	@.ci/system-packages $(DEMO_PACKAGES) || true
	@case "$(ARGS)" in *kube*) .ci/go ;; esac
	.venv/bin/orchestrator demo $(ARGS)

# kube-apiserver and kube-proxy are built once, in 5 to 10 minutes, and kept in the user's cache.
test: .venv/tested
	@.ci/system-packages $(TEST_PACKAGES)
	@command -v kubectl >/dev/null || .ci/system-packages kubernetes-client
	@.ci/go
	@[ -n "$(ARGS)" ] || .venv/bin/python -m orchestrator.lab.kube_build
	.ci/test $(ARGS)

bench: .venv/tested
	@.ci/system-packages $(TEST_PACKAGES)
	@.ci/go
	.venv/bin/python -m tests.bench $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
