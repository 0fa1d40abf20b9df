/** `npm run presets`. */
import { orSayFaults } from './faults.ts';
import { updatePresetIndex } from './preset-index.ts';

orSayFaults(() => updatePresetIndex());
