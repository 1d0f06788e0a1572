FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    WISE_STATE_DIR=/state

# Pango draws letters and vouchers; DejaVu is what they fall back on.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin wise \
    && mkdir /app /state \
    && chown wise:wise /state

WORKDIR /app
COPY requirements.txt .
RUN pip install --only-binary :all: -r requirements.txt

COPY . .
# The collected files belong to the image, so they lie outside the volume /state. The settings below serve this
# step only: nothing listens, and the keys are thrown away with it.
ENV STATIC_ROOT=/app/static-collected
RUN python scripts/translations.py compile \
    && SECRET_KEY=only-for-collecting-static-files-0000 LINK_KEY=only-for-collecting-static-files-0000 \
       BASE_URL=http://localhost DATABASE_URL=postgresql://nobody@nowhere/none REDIS_URL=redis://nowhere EMAIL_URL=smtp://nowhere \
       python manage.py collectstatic --noinput

USER wise
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz/', timeout=4)"]
CMD ["gunicorn", "wise_marketing.wsgi", "--bind", "0.0.0.0:8000"]
