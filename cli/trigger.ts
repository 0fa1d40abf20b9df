/** Makes the provider on this machine go wrong on purpose. */
import { isTrigger, triggers } from '../local/triggers.ts';
import { CommandFailure, exitCodes, wrongInput } from './failure.ts';
import type { Target } from './target.ts';

export interface Trigger {
  /** What there is, with a few words on each. */
  readonly kinds: Readonly<Record<string, string>>;
  /** Returns what the provider says to it. */
  pull(kind: string): Promise<{ readonly said: string }>;
}

/** Returns undefined where the broker has no provider of its own beside it. */
export function triggerOf(target: Target): Trigger | undefined {
  if (target.kind !== 'local' || target.running.triggers === undefined) return undefined;
  const { url, key } = target.running.triggers;
  return {
    kinds: triggers,
    async pull(kind) {
      if (!isTrigger(kind)) throw wrongInput(`trigger: takes ${Object.keys(triggers).join(', ')}.`);
      const reply = await fetch(`${url}/${kind}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
      }).catch(() => {
        throw new CommandFailure('The provider on this machine cannot be reached.', exitCodes.tryAgain);
      });
      const answer = (await reply.json()) as { readonly said: string };
      if (!reply.ok) throw new CommandFailure(answer.said);
      return answer;
    },
  };
}
