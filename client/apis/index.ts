/** The files beside it, by the preset whose API they are about. A test sees that none is forgotten. */
import type { ApiPreset } from '../api-rules.ts';
import exactOnline from './exact-online.ts';
import ixon from './ixon.ts';
import maesn from './maesn.ts';
import sageIntacctRest from './sage-intacct-rest.ts';
import sageIntacctXml from './sage-intacct-xml.ts';

const all: readonly ApiPreset[] = [exactOnline, ixon, maesn, sageIntacctRest, sageIntacctXml];

export const knownApis: Readonly<Record<string, ApiPreset>> = Object.fromEntries(
  all.flatMap((preset) => preset.providers.map((name) => [name, preset])),
);
