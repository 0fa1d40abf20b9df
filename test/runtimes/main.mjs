/** Walks in Node.js, Deno and Bun: its first argument is what is given, and what came of it is printed. */
import { walk } from './program.mjs';

const [given] = globalThis.Deno?.args ?? process.argv.slice(2);
console.log(JSON.stringify(await walk(JSON.parse(given))));
