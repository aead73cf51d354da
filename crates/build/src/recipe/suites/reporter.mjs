// A reporter of Node's test runner: writes what became of each test as soon as it is known, one
// JSON object a line. The last line says that the run came to its end.

import { openSync, writeSync } from 'node:fs';
import { relative, resolve } from 'node:path';

const MESSAGE_LETTERS = 4000;
const out = openSync(`/mayfly/counts/node-${process.pid}.ndjson`, 'a');
const write = (line) => writeSync(out, `${JSON.stringify(line)}\n`);

const belowApp = (path) => {
  const below = path ? relative('/app', resolve(path)) : '';
  return below.startsWith('..') ? '' : below;
};

const messageOf = (error) => {
  const cause = error?.cause ?? error;
  const text = cause?.stack ?? cause?.message ?? cause ?? '';
  return String(text).slice(0, MESSAGE_LETTERS);
};

// A file without a test is reported as a test of its own name.
const isFile = (data) => Boolean(data.file) && resolve(data.name) === resolve(data.file);

const outcomeOf = (type, data) => {
  const grouped = data.details?.type === 'suite';
  if (type === 'test:fail') {
    const kind = data.details?.error?.failureType;
    if (kind === 'subtestsFailed') return undefined;
    return data.todo === undefined || data.todo === false ? 'failed' : 'skipped';
  }
  if (grouped || isFile(data)) return undefined;
  const skipped = [data.skip, data.todo].some((mark) => mark !== undefined && mark !== false);
  return skipped ? 'skipped' : 'passed';
};

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const outcome = outcomeOf(type, data);
    if (outcome === undefined) continue;
    const message = outcome === 'failed' ? messageOf(data.details?.error) : '';
    const name = isFile(data) ? belowApp(data.name) : data.name;
    write({ outcome, name, file: belowApp(data.file), line: data.line ?? 0, message });
  }
  write({ end: true });
}
