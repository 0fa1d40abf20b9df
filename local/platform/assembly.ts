import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as v from 'valibot';

/** What `cdk synth` wrote: every stack's template, and where each asset lies on disk. */
export interface Assembly {
  readonly stacks: readonly Stack[];
  /** The directory behind an object key in the asset bucket. Throws `TemplateError` for an unknown key. */
  assetDirectory(key: string): string;
}

export interface Stack {
  readonly name: string;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } | undefined }>
  >;
  readonly Parameters: Readonly<Record<string, { readonly Default?: unknown }>>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** The template says something that the local broker cannot run; the message tells where. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const Manifest = v.object({
  artifacts: v.record(
    v.string(),
    v.object({
      type: v.string(),
      properties: v.optional(v.object({ templateFile: v.optional(v.string()), file: v.optional(v.string()) }), {}),
    }),
  ),
});

const Template = v.object({
  Resources: v.record(
    v.string(),
    v.object({ Type: v.string(), Properties: v.optional(v.record(v.string(), v.unknown()), {}) }),
  ),
  Outputs: v.optional(
    v.record(v.string(), v.object({ Value: v.unknown(), Export: v.optional(v.object({ Name: v.unknown() })) })),
    {},
  ),
  Parameters: v.optional(v.record(v.string(), v.object({ Default: v.optional(v.unknown()) })), {}),
});

const AssetManifest = v.object({
  files: v.optional(
    v.record(
      v.string(),
      v.object({
        source: v.object({ path: v.string() }),
        destinations: v.record(v.string(), v.object({ objectKey: v.string() })),
      }),
    ),
    {},
  ),
});

/** Reads a cloud assembly (`cdk.out`). Throws if a file is missing or is not what CDK writes. */
export function readAssembly(directory: string): Assembly {
  const artifacts = Object.entries(readJson(Manifest, directory, 'manifest.json').artifacts);
  const stacks: Stack[] = [];
  const assets = new Map<string, string>();
  for (const [name, { type, properties }] of artifacts) {
    if (type === 'aws:cloudformation:stack' && properties.templateFile)
      stacks.push({ name, ...readJson(Template, directory, properties.templateFile) });
    if (type === 'cdk:asset-manifest' && properties.file) {
      for (const { source, destinations } of Object.values(readJson(AssetManifest, directory, properties.file).files)) {
        for (const { objectKey } of Object.values(destinations))
          assets.set(basename(objectKey), join(directory, source.path));
      }
    }
  }
  return {
    stacks,
    assetDirectory(key) {
      const path = assets.get(basename(key));
      if (!path) throw new TemplateError(`no asset manifest in ${directory} names the object ${key}`);
      return path;
    },
  };
}

function readJson<Schema extends v.GenericSchema>(
  schema: Schema,
  directory: string,
  file: string,
): v.InferOutput<Schema> {
  const path = join(directory, file);
  const result = v.safeParse(schema, JSON.parse(readFileSync(path, 'utf8')));
  if (!result.success) throw new TemplateError(`${path} is not what CDK writes: ${v.summarize(result.issues)}`);
  return result.output;
}
