/** `npm run presets`. */
import { updatePresetIndex } from './preset-index.ts';

updatePresetIndex();
