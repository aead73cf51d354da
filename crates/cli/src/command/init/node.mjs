// First tests of this app: it starts, strangers cannot change what they should not, and neither odd
// nor huge input ends it.
//
// `mayfly init` wrote this file once and will not write it again: change it as you like. Run it with
// `node --test`; `mayfly up` runs it before each release.
//
// The app runs as it does when it is up: as a process of its own, started by its own command. It
// works on a copy of its folder, so that its data stays as it is, and is reached on this machine
// alone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const APP = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

// What starts the app.
const START = __START__;
// Answers below 500 when the app is ready.
const HEALTH = __HEALTH__;
// Every address that the code declares: method, path, and what looks at the caller first.
const ROUTES = __ROUTES__;
// Addresses that anybody may use to change something, because that is what the app is for.
const OPEN = __OPEN__;

const SECONDS_TO_START = 60;
const SECONDS_TO_ANSWER = 30;
const HUGE = 20 * 1024 * 1024;
const LEFT_OUT = new Set(['.git', 'node_modules']);

// Runs inside the app, before its own code: it listens on a free port of this machine, and the test
// is told on which.
const HOOK = `
const net = require('node:net');
const listen = net.Server.prototype.listen;
const isPort = (value) => typeof value === 'number' || /^\\d+$/.test(String(value));
net.Server.prototype.listen = function (...given) {
  const [first] = given;
  const own = given.filter((one) => typeof one === 'function');
  this.once('listening', () => {
    const { address, port } = this.address();
    if (port) net.connect(Number(process.env.APP_TEST_PORT), '127.0.0.1').end(address + ' ' + port);
  });
  if (first && typeof first === 'object' && 'port' in first) {
    return listen.call(this, { ...first, port: 0, host: '127.0.0.1' }, ...own);
  }
  return first === undefined || typeof first === 'function' || isPort(first)
    ? listen.call(this, 0, '127.0.0.1', ...own)
    : listen.apply(this, given);
};
`;

// The app, while it runs.
class App {
  static async start() {
    const app = new App();
    app.place = fs.mkdtempSync(path.join(os.tmpdir(), 'app-test-'));
    app.folder = path.join(app.place, 'app');
    const isCopied = (from) => !LEFT_OUT.has(path.basename(from));
    fs.cpSync(APP, app.folder, { recursive: true, filter: isCopied });
    const modules = path.join(APP, 'node_modules');
    if (fs.existsSync(modules)) fs.symlinkSync(modules, path.join(app.folder, 'node_modules'));
    const hook = path.join(app.place, 'hook.cjs');
    fs.writeFileSync(hook, HOOK);
    app.printed = '';
    const told = net.createServer().listen(0, '127.0.0.1');
    await once(told, 'listening');
    app.process = spawn(START[0], START.slice(1), {
      cwd: app.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: [path.join(app.folder, 'node_modules/.bin'), path.dirname(process.execPath), process.env.PATH].join(':'),
        PORT: __PORT__,
        APP_TEST_PORT: String(told.address().port),
        NODE_OPTIONS: `--require ${JSON.stringify(hook)}`,
        NODE_TEST_CONTEXT: '',
      },
    });
    for (const output of [app.process.stdout, app.process.stderr]) {
      output.on('data', (piece) => (app.printed = (app.printed + piece).slice(-4000)));
    }
    try {
      app.address = await app.hear(told);
    } catch (cause) {
      await app.stop();
      throw cause;
    } finally {
      told.close();
    }
    return app;
  }

  hear(told) {
    return new Promise((resolve, reject) => {
      const fail = (what) => reject(new Error(`${what}:\n${this.printed}`));
      const late = setTimeout(fail, SECONDS_TO_START * 1000, 'it listens on no port');
      this.process.once('error', (cause) => fail(`it does not start: ${cause.message}`));
      this.process.once('close', () => fail('it ended'));
      told.once('connection', (connection) => {
        let said = '';
        connection.on('data', (piece) => (said += piece));
        connection.on('end', () => {
          clearTimeout(late);
          const [host, port] = said.split(' ');
          resolve({ host, port: Number(port) });
        });
      });
    }).finally(() => this.process.removeAllListeners('close'));
  }

  // The status of an answer; null when the app hung up, which refuses too.
  ask(method, target, body, kind) {
    const headers = kind === undefined ? {} : { 'content-type': kind };
    if (body !== undefined) headers['content-length'] = body.length;
    return new Promise((resolve, reject) => {
      const request = http.request({ ...this.address, method, path: target, headers, agent: false });
      request.setTimeout(SECONDS_TO_ANSWER * 1000, () => {
        request.destroy();
        reject(new Error(`${method} ${target.slice(0, 80)}: no answer`));
      });
      request.once('response', (answer) => {
        resolve(answer.statusCode);
        request.destroy();
      });
      request.once('error', () => resolve(null));
      request.end(body);
    });
  }

  get isRunning() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop() {
    if (this.isRunning && this.process.pid) {
      const ended = once(this.process, 'exit');
      process.kill(-this.process.pid, 'SIGKILL');
      await ended;
    }
    fs.rmSync(this.place, { recursive: true, force: true });
  }
}

const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];
const PARAMETER = /\{[^{}]*\}|:[A-Za-z_]\w*(\([^()]*\))?[?*+]?|\*\w*/g;

// The routes of some methods.
function routes(...wanted) {
  const all = ROUTES.filter(([, target]) => target.startsWith('/')).flatMap(([method, target]) =>
    (method === 'ANY' ? ['GET', 'POST'] : [method]).map((one) => [one, target]),
  );
  return all.filter(([method]) => wanted.includes(method));
}

const filled = (target, value = '1') => target.replace(PARAMETER, value);
const isOpen = (method, target) => OPEN.some(([one, other]) => one === method && other === target);

describe('the app', () => {
  let app;
  before(async () => (app = await App.start()));
  after(async () => app && (await app.stop()));

  // Whatever was sent: the app says no or does it, and does not break.
  async function assertBears(method, target, body, kind) {
    const status = await app.ask(method, target, body, kind);
    const said = `${method} ${target.slice(0, 80)} answered ${status}:\n${app.printed}`;
    assert.ok(status === null || status < 500, said);
  }

  async function assertLives() {
    assert.ok(app.isRunning, `the app ended:\n${app.printed}`);
    const status = await app.ask('GET', HEALTH);
    assert.notEqual(status, null, `the app does not answer any more:\n${app.printed}`);
    assert.ok(status < 500, app.printed);
  }

  test('it starts and answers', assertLives);

// [auth]
  test('strangers change nothing', async () => {
    for (const [method, target] of routes(...WRITES)) {
      if (isOpen(method, target)) continue;
      const status = await app.ask(method, filled(target));
      const said = `anybody gets ${status} from ${method} ${target}: look at the caller first, or add it to OPEN`;
      assert.ok(status === null || status < 200 || status >= 300, said);
    }
  });

// [/auth]
  test('odd addresses do not break it', async () => {
    const values = ['0', '-1', '9'.repeat(30), 'x'.repeat(4000), '%00', '..%2f..%2fetc%2fpasswd', '%ff%fe', '%F0%9F%92%A9'];
    const targets = new Set([HEALTH, ...routes('GET').map(([, target]) => target)]);
    for (const target of targets) {
      for (const value of values) {
        await assertBears('GET', filled(target, value));
        await assertBears('GET', `${filled(target)}?q=${value}&id=${value}&page=${value}`);
      }
    }
    await assertLives();
  });

// [writes]
  test('odd bodies do not break it', async () => {
    const [text, form] = ['application/json', 'application/x-www-form-urlencoded'];
    const bodies = [
      ['', text],
      ['{', text],
      ['null', text],
      ['[]', text],
      ['"text"', text],
      ['['.repeat(500) + ']'.repeat(500), text],
      ['{"id": {"id": []}, "name": 1e308, "__proto__": {"a": 1}, "\\u0000": null}', text],
      [Buffer.from([0xff, 0xfe, 0]), text],
      ['', form],
      [`id=%00&name=${'x'.repeat(100_000)}`, form],
      ['id=%ff%fe&name[]=1&a[b][c]=&=', form],
      ['--x', 'multipart/form-data; boundary=x'],
    ];
    for (const [method, target] of routes(...WRITES)) {
      for (const [body, kind] of bodies) {
        await assertBears(method, filled(target), Buffer.from(body), kind);
      }
    }
    await assertLives();
  });

// [/writes]
  test('a huge body does not end it', async () => {
    const found = routes('POST', 'PUT', 'PATCH').slice(0, 5);
    for (const [method, target] of found.length ? found : [['POST', HEALTH]]) {
      await assertBears(method, filled(target), Buffer.alloc(HUGE, 'x'), 'application/octet-stream');
    }
    await assertLives();
  });
});
