/**
 * `npm run budgets`: what a cold start has to load, in KB of each bundle that `npm run synth` wrote, and in modules on
 * the path of a token request. A budget is raised on purpose or not at all.
 */
import { readFileSync } from 'node:fs';
import type { DeployedName } from '../lambdas/routes.ts';
import { bundleOf, bundlesIn } from './bundles.ts';

const budgetsKb: Readonly<Record<DeployedName, number>> = {
  token: 367,
  refresh: 595,
  plan: 260,
  connections: 440,
  authorizations: 574,
  canary: 195,
};
const tokenModules = 470;

const bundles: readonly (readonly [name: DeployedName, bundle: string])[] = [
  ...bundlesIn('cdk.out').map(([name, path]) => [name, readFileSync(path, 'utf8')] as const),
  // It is in an assembly only where it was chosen.
  ['canary', (await bundleOf('canary')).text],
];

let faults = 0;
for (const [name, bundle] of bundles) {
  const budgetKb = budgetsKb[name];
  const kb = Math.ceil(Buffer.byteLength(bundle) / 1_024);
  // One that is left would load Node's whole fetch implementation at the first AWS call.
  const dynamicImports = bundle.match(/(?<![\w.$])import\(/g)?.length ?? 0;
  const verdict = [
    ...(kb > budgetKb ? ['TOO LARGE'] : []),
    ...(dynamicImports > 0 ? [`${dynamicImports} DYNAMIC IMPORTS`] : []),
  ];
  faults += verdict.length;
  console.log(`${name.padEnd(15)}${String(kb).padStart(4)} KB of ${budgetKb}  ${verdict.join(', ') || 'ok'}`);
}
const { metafile } = await bundleOf('token');
const modules = Object.keys(Object.values(metafile.outputs)[0]?.inputs ?? {}).length;
if (modules > tokenModules) faults += 1;
console.log(`token          ${modules} modules of ${tokenModules}  ${modules > tokenModules ? 'TOO MANY' : 'ok'}`);
if (faults > 0) process.exitCode = 1;
