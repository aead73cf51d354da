FROM mayfly-bench/python
WORKDIR /app
RUN uv venv --quiet /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin
COPY requirements.txt .
RUN uv pip install --quiet --compile-bytecode -r requirements.txt
COPY . .
CMD ["python", "main.py"]
