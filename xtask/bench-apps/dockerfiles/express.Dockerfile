FROM mayfly-bench/node
WORKDIR /app
COPY package.json .
RUN bun install --silent
COPY . .
CMD ["node", "server.js"]
