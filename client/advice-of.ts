import type { Advice } from './advice-kinds.ts';

const noted = new WeakMap<Response, Advice>();

/** Keeps what was found out about a reply, for as long as its caller keeps the reply. */
export const note = (response: Response, advice: Advice): void => void noted.set(response, advice);

/**
 * What a reply that `fetch` of a broker returned asks for: wait how long, log in again, correct the request; undefined
 * for a success.
 */
export const adviceOf = (response: Response): Advice | undefined => noted.get(response);
