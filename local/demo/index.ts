/** What `npm start -- --provider NAME` can start, by name; the first is started if nothing is said. */
import type { DemoProviderKind } from './demo-provider.ts';
import { exactOnline } from './exact-online.ts';
import { ixon } from './ixon.ts';
import { maesn } from './maesn.ts';
import { oidcProvider } from './oidc-provider.ts';
import { sageIntacct } from './sage-intacct.ts';
import { sageIntacctXml } from './sage-intacct-xml.ts';

export const demoProviders = {
  'oidc-provider': oidcProvider,
  'exact-online': exactOnline,
  'sage-intacct': sageIntacct,
  'sage-intacct-xml': sageIntacctXml,
  ixon,
  maesn,
} as const satisfies Readonly<Record<string, DemoProviderKind>>;

export type DemoProviderName = keyof typeof demoProviders;
