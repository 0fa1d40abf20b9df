/**
 * The stacks of the previous release, to be upgraded from. Their templates are kept as they were deployed; their
 * functions run the present code under another digest, as each release's code has one of its own, and so get the
 * variables, if they are plain text, without which that code does not start.
 *
 * `node test/deploy/previous-release.ts`, after `npm run synth`, keeps the present templates: once for each release.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const kept = join(import.meta.dirname, 'previous-release');
const stacks = ['token-broker-state', 'token-broker'];
const fileOf = (stack: string): string => `${stack}.template.json`;

interface FunctionProperties {
  readonly Code: { S3Key: string };
  readonly Environment: { Variables: Readonly<Record<string, unknown>> };
}

interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties: FunctionProperties }>;
}

/** Writes the previous release's cloud assembly to `directory`, made of the present one and the kept templates. */
export function writePreviousRelease(assembly: string, directory: string): void {
  cpSync(assembly, directory, { recursive: true });
  const renamed = new Map<string, string>();
  for (const stack of stacks) {
    const present: Template = JSON.parse(readFileSync(join(assembly, fileOf(stack)), 'utf8'));
    const previous: Template = JSON.parse(readFileSync(join(kept, fileOf(stack)), 'utf8'));
    for (const [logicalId, { Type, Properties }] of Object.entries(previous.Resources)) {
      if (Type !== 'AWS::Lambda::Function') continue;
      const successor = present.Resources[logicalId]?.Properties;
      if (successor === undefined) throw new Error(`${logicalId} of the previous release has no successor`);
      const asset = successor.Code.S3Key.replace('.zip', '');
      const earlier = digestOf(`the previous ${asset}`);
      renamed.set(asset, earlier);
      cpSync(join(assembly, `asset.${asset}`), join(directory, `asset.${earlier}`), { recursive: true });
      appendFileSync(join(directory, `asset.${earlier}`, 'index.js'), '\n// The previous release.\n');
      Properties.Code.S3Key = `${earlier}.zip`;
      const plain = Object.entries(successor.Environment.Variables).filter(([, value]) => typeof value === 'string');
      Properties.Environment.Variables = { ...Object.fromEntries(plain), ...Properties.Environment.Variables };
    }
    writeFileSync(join(directory, fileOf(stack)), JSON.stringify(previous));
  }
  for (const stack of stacks) {
    const { files } = JSON.parse(readFileSync(join(assembly, `${stack}.assets.json`), 'utf8'));
    for (const [asset, { source }] of Object.entries<{ source: { path: string } }>(files)) {
      // What is stored under a digest is taken to be that for ever.
      if (source.path === fileOf(stack)) renamed.set(asset, digestOf(`the previous ${asset}`));
    }
  }
  for (const name of ['manifest.json', ...stacks.map((stack) => `${stack}.assets.json`)]) {
    const text = readFileSync(join(directory, name), 'utf8');
    writeFileSync(
      join(directory, name),
      [...renamed].reduce((sum, [before, after]) => sum.replaceAll(before, after), text),
    );
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

if (process.argv[1] === import.meta.filename) {
  mkdirSync(kept, { recursive: true });
  for (const stack of stacks) copyFileSync(join('cdk.out', fileOf(stack)), join(kept, fileOf(stack)));
}
