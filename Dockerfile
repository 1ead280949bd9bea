# Two stages: the first builds wheels with the web assets in them, the second only runs them.
FROM debian:trixie-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements requirements
RUN python3 -m venv /opt/deskhub \
 && /opt/deskhub/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/run.txt \
 && python3 -m venv /opt/build \
 && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/run.txt \
 && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/node.txt
COPY . .
RUN /opt/build/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation ./plugins \
 && /opt/build/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation -w /wheels . ./plugins ./adapters/*/ \
 && /opt/deskhub/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl

FROM debian:trixie-slim
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /var/lib/deskhub --shell /usr/sbin/nologin deskhub
COPY --from=build /opt/deskhub /opt/deskhub
COPY --chown=deskhub:deskhub hub.toml /etc/deskhub/hub.toml
# Every command in the container means the same installation: docker exec … deskhub user add …
ENV PATH=/opt/deskhub/bin:$PATH PYTHONUNBUFFERED=1 \
    DESKHUB_CONFIG=/etc/deskhub/hub.toml DESKHUB_DATA=/var/lib/deskhub
USER 10001
WORKDIR /var/lib/deskhub
VOLUME /var/lib/deskhub
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8700/healthz', timeout=2)"]
ENTRYPOINT ["deskhub"]
CMD ["serve", "--listen", "0.0.0.0:8700"]
