# Two stages: what builds stays behind. Nothing runs as root, and nothing of the image is written at run time but /data.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/gatepass
COPY requirements/run.txt requirements/run.txt
RUN /opt/gatepass/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN /opt/gatepass/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 gatepass \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin gatepass \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/gatepass /opt/gatepass
ENV PATH=/opt/gatepass/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GATEPASS_DATABASE_URL=sqlite:////data/gatepass.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import os, ssl, urllib.request as r; s = 's' if os.environ.get('GATEPASS_TLS_CERT') else ''; r.urlopen(f'http{s}://127.0.0.1:8000/healthz', timeout=2, context=ssl._create_unverified_context() if s else None)"]
ENTRYPOINT ["gatepass"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
