# The image of every role: `orchestrator ROLE`. docs/kubernetes.md says what runs in which container.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /source
COPY setup.cfg setup.py README.md LICENSE ./
COPY deploy/constraints.txt deploy/
COPY orchestrator orchestrator
RUN python3 -m venv /opt/orchestrator \
 && /opt/orchestrator/bin/pip install --no-cache-dir --disable-pip-version-check --use-pep517 -c deploy/constraints.txt . \
 && /opt/orchestrator/bin/python -m compileall -q /opt/orchestrator/lib

FROM ${PYTHON}
COPY --from=build /opt/orchestrator /opt/orchestrator
# Files are never written beside the code: the root file system may be read only.
ENV PATH=/opt/orchestrator/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Nobody's: the manifests run all but the layer2 container as this user.
USER 65532:65532
CMD ["orchestrator", "--help"]
