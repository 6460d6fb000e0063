# One image for web and worker. Build: docker build -t fugong .
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /app/.venv
COPY requirements.txt ./
RUN .venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt
COPY . .
RUN if [ -d workflow/translations ]; then .venv/bin/pybabel --quiet compile -d workflow/translations; fi

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libmagic1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app --no-create-home fugong
WORKDIR /app
COPY --from=build /app /app
# Data (files, keys, an SQLite database if one is used) lives in a volume; the code belongs to root.
RUN mkdir -p /app/var && chown fugong:fugong /app/var && chmod 700 /app/var
USER fugong
VOLUME /app/var
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp \
    FUGONG_ENV=production
EXPOSE 8000
# Asks under a name that the application trusts: another Host is refused.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as r; host = os.environ.get('FUGONG_TRUSTED_HOSTS', 'localhost').replace(',', ' ').split()[0].lstrip('.'); r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", "2", "--threads", "4", \
     "--bind", "0.0.0.0:8000", "--graceful-timeout", "20", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
