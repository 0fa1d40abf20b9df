/** The presets there are, by name. To add a provider: one file beside this one, and its line here. */
import type { Preset } from '../preset.ts';
import exactOnline from './exact-online.ts';
import genericOauth2 from './generic-oauth2.ts';

export type Presets = Readonly<Record<string, Preset>>;

export const byName = (presets: readonly Preset[]): Presets => Object.fromEntries(presets.map((preset) => [preset.name, preset]));

export const knownPresets: Presets = byName([exactOnline, genericOauth2]);
