import { buildApp } from './app.ts';
import { summaryOf } from './context.ts';

const { app, settings } = buildApp();
console.error(summaryOf(settings));
app.synth();
