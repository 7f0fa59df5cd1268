# The command in a container: slim, not root, with git, and nothing that it has to write.
#   docker build -t momento-reconciler .
#   docker run --rm --read-only --user "$(id -u)" -e MOMENTO_API_KEY -v "$PWD:/work" momento-reconciler plan
# A run that keeps its record in the clone writes to that clone's .git, and nowhere else.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/reconciler \
    && /opt/reconciler/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-build.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY reconciler reconciler
RUN /opt/build/bin/hatchling build --target wheel \
    && /opt/reconciler/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps dist/*.whl \
    && /opt/reconciler/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/reconciler /opt/reconciler
ENV PATH=/opt/reconciler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/nonexistent
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["reconciler"]
