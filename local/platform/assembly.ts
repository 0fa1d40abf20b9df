import { basename, join } from 'node:path';
import { AssetManifestArtifact, CloudAssembly } from 'aws-cdk-lib/cx-api';

/** What `cdk synth` wrote: every stack's template, and where each asset lies on disk. */
export interface Assembly {
  readonly stacks: readonly Stack[];
  /** Returns the directory behind an object key in the asset bucket. Throws `TemplateError` for an unknown key. */
  assetDirectory(key: string): string;
}

/**
 * A stack's name and the sections of its template
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html).
 */
export interface Stack extends Required<Template> {
  readonly name: string;
}

interface Template {
  readonly Resources?: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The template says something that the local broker cannot run; the message tells where. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Reads a cloud assembly (`cdk.out`). Throws if a file is missing or is not what CDK writes. */
export function readAssembly(directory: string): Assembly {
  const assembly = new CloudAssembly(directory);
  const assets = new Map(
    assembly.artifacts
      .filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
      .flatMap(({ contents }) => Object.values(contents.files ?? {}))
      .flatMap(({ source: { path = '' }, destinations }) =>
        Object.values(destinations).map(({ objectKey }) => [basename(objectKey), join(directory, path)]),
      ),
  );
  return {
    stacks: assembly.stacksRecursively.map(({ id, template }): Stack => {
      const { Resources = {}, Outputs = {}, Parameters = {} }: Template = template;
      return { name: id, Resources, Outputs, Parameters };
    }),
    assetDirectory(key) {
      const path = assets.get(basename(key));
      if (!path) throw new TemplateError(`no asset manifest in ${directory} names the object ${key}`);
      return path;
    },
  };
}
