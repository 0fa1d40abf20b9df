/**
 * `npm run budgets`: what a cold start has to load, in KB of each bundle that `npm run synth` wrote. A budget is raised
 * on purpose or not at all.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionName } from '../lambdas/routes.ts';
import { readAssembly } from '../local/platform/assembly.ts';

const budgetsKb: Readonly<Record<FunctionName, number>> = {
  token: 515,
  refresh: 685,
  plan: 425,
  connections: 575,
  authorizations: 655,
};

const assembly = readAssembly('cdk.out');
const functions = assembly.stacks
  .flatMap(({ Resources }) => Object.entries(Resources))
  .filter(([, { Type }]) => Type === 'AWS::Lambda::Function');

/** The bundle of the function whose logical id is `<Name>Function…`. */
function bundleOf(name: string): string {
  const [, resource] = functions.find(([logicalId]) => logicalId.toLowerCase().startsWith(`${name}function`)) ?? [];
  const { S3Key: key } = (resource?.Properties.Code ?? {}) as { S3Key?: string };
  if (key === undefined) throw new Error(`cdk.out has no bundle of the function ${name}: run npm run synth first`);
  return readFileSync(join(assembly.assetDirectory(key), 'index.js'), 'utf8');
}

let faults = 0;
for (const [name, budgetKb] of Object.entries(budgetsKb)) {
  const bundle = bundleOf(name);
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
if (faults > 0) process.exitCode = 1;
