/** The port `Providers`, answered from the presets. */
import type { Providers } from '../ports/providers.ts';
import type { Presets } from './by-name.ts';
import { dialectOf } from './dialect.ts';
import { providersSpeaking } from './resolved-providers.ts';

export const providersFrom = (presets?: Presets): Providers => providersSpeaking(dialectOf, presets);
