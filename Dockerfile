# ConvNet Explorer as a container: CPU by default, GPU with
#   docker build --build-arg TORCH=gpu -t convnet-explorer:gpu .
# Weights and traces are baked in, so that it runs without a network:
#   docker build --build-arg MODELS="resnet50 vit_b_16" -t convnet-explorer .
# The root may be read-only: everything written goes to /data (a volume) and /tmp (a tmpfs).

ARG PYTHON=3.12-slim-bookworm

# --- what is installed ---------------------------------------------------------------------------
FROM python:${PYTHON} AS build
ARG TORCH=cpu
# 1 brings Ray along, for EXPLORER_ENGINE=ray://HOST:PORT and for the nodes of a cluster.
ARG CLUSTER=0
# Where wheels come from: a mirror of one's own, or for CPU builds the index of PyTorch.
ARG PIP_INDEX_URL=
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements.txt requirements-cluster.txt requirements.lock ./
# The CPU build of torch is a tenth of the size; on PyPI, the Linux wheels are those for GPUs.
RUN if [ -z "$PIP_INDEX_URL" ]; then unset PIP_INDEX_URL; fi; \
    if [ "$TORCH" = "cpu" ]; then \
      grep -E '^(torch|torchvision)[<>=]' requirements.txt > torch.txt \
      && /opt/venv/bin/pip install --index-url "$TORCH_INDEX_URL" -r torch.txt -c requirements.lock; \
    fi \
    && /opt/venv/bin/pip install -r requirements.txt -c requirements.lock \
    && if [ "$CLUSTER" = "1" ]; then /opt/venv/bin/pip install -r requirements-cluster.txt -c requirements.lock; fi

# --- what runs -----------------------------------------------------------------------------------
FROM python:${PYTHON} AS app
ARG MODELS=tf_efficientnet_lite0
# numpy and torch come with their libraries; Debian's libgomp1 serves scikit-image and scipy.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin explorer
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY --chown=root:root app.py requirements.txt ./
COPY --chown=root:root .streamlit .streamlit
COPY --chown=root:root assets assets
COPY --chown=root:root explorer explorer
COPY --chown=root:root pages pages
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    XDG_DATA_HOME=/data/share \
    EXPLORER_CACHE_DIR=/data/cache/convnet-explorer \
    TORCH_HOME=/data/cache/torch \
    HF_HOME=/data/cache/huggingface \
    MPLCONFIGDIR=/tmp/matplotlib \
    EXPLORER_LOG=json \
    STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE=true \
    STREAMLIT_LOGGER_LEVEL=warning \
    STREAMLIT_SERVER_FILE_WATCHER_TYPE=none
USER explorer
# A volume that is mounted empty on /data gets these; "prefetch" is resumable, so a build goes on.
RUN python -m explorer prefetch ${MODELS}
VOLUME /data
EXPOSE 8501
# Under a burst of visits an answer may take some seconds.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/health/live', timeout=9)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.address=0.0.0.0", "--server.port=8501"]
