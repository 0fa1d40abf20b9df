import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { inject } from 'vitest';
import { buildApp } from '../../infra/app.ts';
import { BrokerStack } from '../../infra/broker-stack.ts';
import { StateStack } from '../../infra/state-stack.ts';

/**
 * The app without its bundles, which no template test looks at and which take seconds. `context` is as
 * `cdk -c NAME=VALUE` gives it, or as cdk.json may hold it.
 */
export function unbundled(context: Readonly<Record<string, unknown>> = {}): {
  readonly app: App;
  readonly state: StateStack;
  readonly broker: BrokerStack;
} {
  const { app } = buildApp({
    outdir: mkdtempSync(join(inject('outputs'), 'cdk.out-')),
    context: { 'aws:cdk:bundling-stacks': [], ...context },
  });
  const { children } = app.node;
  const state = children.find((stack) => stack instanceof StateStack);
  const broker = children.find((stack) => stack instanceof BrokerStack);
  if (state === undefined || broker === undefined) throw new Error('the app has no state or no broker stack');
  return { app, state, broker };
}

/**
 * The templates, and how to read what refers to another resource. Synthesizes the app: nothing can be added to it
 * afterwards.
 */
export function templatesOf({ state, broker }: { readonly state: StateStack; readonly broker: BrokerStack }) {
  const templates = { state: Template.fromStack(state), broker: Template.fromStack(broker) };
  return { ...templates, read: reader(Object.values(templates)) };
}

/** A logical id as the construct was called, without the hash of its path. */
export const withoutHash = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, '');

/** Returns what gives the properties of a resource by its type and the name of its construct. */
export const propertiesIn = (template: Template) => (type: string, id: string) => {
  const found = Object.entries(template.findResources(type)).find(([logicalId]) => withoutHash(logicalId) === id);
  if (found === undefined) throw new Error(`the stack has no ${type} called ${id}`);
  return found[1].Properties;
};

/** Turns a template value into text: `Connections.Arn`, `arn:AWS::Partition:…`. An import is what is exported. */
function reader(templates: readonly Template[]): (value: unknown) => string {
  const exports = new Map<string, unknown>();
  for (const template of templates) {
    for (const output of Object.values(template.toJSON().Outputs ?? {}) as {
      Value: unknown;
      Export?: { Name: string };
    }[]) {
      if (output.Export) exports.set(output.Export.Name, output.Value);
    }
  }
  const read = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const [[intrinsic, argument]] = Object.entries(value as object) as [[string, unknown]];
    switch (intrinsic) {
      case 'Ref':
        return withoutHash(String(argument));
      case 'Fn::GetAtt': {
        const [logicalId, attribute] = argument as [string, string];
        return `${withoutHash(logicalId)}.${attribute}`;
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown[]];
        return parts.map(read).join(separator);
      }
      case 'Fn::ImportValue':
        return read(exports.get(String(argument)));
      default:
        throw new Error(`unexpected ${intrinsic} in a template`);
    }
  };
  return read;
}
