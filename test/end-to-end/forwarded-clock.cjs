// @ts-check
'use strict';
/**
 * Moves this process's `Date` forward by as many milliseconds as the file says that FORWARDED_CLOCK names. Timers stay
 * as they are. Preloaded into each function, and required by the test that runs them, so that a whole broker and its
 * providers skip the hours between two renewals together. Plain CommonJS, as Node preloads it before anything else.
 */
const { readFileSync } = require('node:fs');

const realNow = Date.now;
const now = () => {
  const file = process.env.FORWARDED_CLOCK;
  return realNow() + (file === undefined ? 0 : Number(readFileSync(file, 'utf8')));
};
Date.now = now;
globalThis.Date = new Proxy(Date, {
  apply: () => new Date().toString(),
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
});
