/**
 * `npm run budgets`: what a cold start has to load, in KB of each bundle that `npm run synth` wrote, and in modules on
 * the path of a token request. A budget is raised on purpose or not at all.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { FunctionName } from '../lambdas/routes.ts';
import { bundlesIn } from './bundles.ts';
import { bundledByEsbuild } from './constructs/bundling.ts';

const budgetsKb: Readonly<Record<FunctionName, number>> = {
  token: 365,
  refresh: 592,
  plan: 260,
  connections: 440,
  authorizations: 574,
};
const tokenModules = 470;

let faults = 0;
for (const [name, path] of bundlesIn('cdk.out')) {
  const bundle = readFileSync(path, 'utf8');
  const budgetKb = budgetsKb[name];
  const kb = Math.ceil(Buffer.byteLength(bundle) / 1_024);
  // One that is left would load Node's whole fetch implementation at the first AWS call.
  const dynamicImports = bundle.match(/(?<![\w.$])import\(/g)?.length ?? 0;
  const verdict = [
    ...(kb > budgetKb ? ['TOO LARGE'] : []),
    ...(dynamicImports > 0 ? [`${dynamicImports} DYNAMIC IMPORTS`] : []),
  ];
  faults += verdict.length;
  console.log(`${name.padEnd(12)}${String(kb).padStart(4)} KB of ${budgetKb}  ${verdict.join(', ') || 'ok'}`);
}
const { metafile } = await build({
  ...bundledByEsbuild,
  entryPoints: [join(import.meta.dirname, '../lambdas/token.ts')],
  metafile: true,
  write: false,
});
const modules = Object.keys(Object.values(metafile.outputs)[0]?.inputs ?? {}).length;
if (modules > tokenModules) faults += 1;
console.log(`token       ${modules} modules of ${tokenModules}  ${modules > tokenModules ? 'TOO MANY' : 'ok'}`);
if (faults > 0) process.exitCode = 1;
