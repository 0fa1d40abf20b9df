/** How a connection's provider speaks: what its replies are read by. */
import type { Dialect } from '../domain/reply.ts';
import type { Presets } from './by-name.ts';
import { knownPresets } from './presets/index.ts';
import { type ProviderChoice, resolveProvider } from './resolve.ts';
import { toldValuesOf } from './values.ts';
import { xmlMembers } from './xml.ts';

/** Returns how the connection's provider speaks. Throws if it is unknown. */
export function dialectOf(config: ProviderChoice, presets: Presets = knownPresets): Dialect {
  const { preset, facts } = resolveProvider(config, presets);
  return {
    grant: facts.grant,
    errorRules: preset.errorRules.map((rule) => ({ ...rule, name: `${preset.name}/${rule.name}` })),
    defaultLifetimeMs: facts.lifetimeSeconds * 1_000,
    expiresInUnit: facts.expiresInUnit,
    resetHeaders: preset.resetHeaders ?? [],
    ...(preset.reply && { reply: preset.reply }),
    values: toldValuesOf(preset).flatMap(({ name, path, pattern }) =>
      path === undefined ? [] : [{ name, path, ...(pattern !== undefined && { pattern }) }],
    ),
    ...(preset.reply?.format === 'xml' && { parse: xmlMembers }),
    ...(facts.tokenType !== undefined && { tokenType: facts.tokenType }),
  };
}
