import { buildApp } from './app.ts';
import { summaryOf } from './context.ts';
import { orSayFaults } from './faults.ts';

orSayFaults(() => {
  const { app, settings } = buildApp();
  console.error(summaryOf(settings));
  app.synth();
});
