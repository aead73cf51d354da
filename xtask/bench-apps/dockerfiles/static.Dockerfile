FROM mayfly-bench/python
WORKDIR /app
COPY . .
CMD exec python3 -m http.server --bind 127.0.0.1 "$PORT"
