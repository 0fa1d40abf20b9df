/** Run every minute by the schedule. */
import { plan } from '../shared/application/plan.ts';
import { composePlan } from '../shared/compose.ts';

const compose = composePlan();

export const handler = async (): Promise<void> => {
  await plan(compose());
};
