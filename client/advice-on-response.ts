/** The rules of replies, for a `Response` of `fetch`. */
import { type Asked, adviceOn } from './advice.ts';
import type { Advice } from './advice-kinds.ts';

/** Replies that are longer are not looked into. */
const lookedIntoBytes = 64 * 1_024;

/** Returns what a reply asks for by the rules of its provider, or by those of HTTP alone; undefined for a success. */
export async function adviceOnResponse(
  provider: string | undefined,
  response: Response,
  asked: Asked,
): Promise<Advice | undefined> {
  const body = provider === undefined ? '' : await textOf(response);
  if (response.ok && body === undefined) return undefined;
  const reply = { status: response.status, headers: Object.fromEntries(response.headers), body: body ?? '' };
  const advice = adviceOn(provider ?? '', reply, asked);
  return advice.do === 'proceed' ? undefined : advice;
}

/** The reply's text, read from a copy; undefined if it is longer than what is looked into. */
async function textOf(response: Response): Promise<string | undefined> {
  const reader = response.clone().body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > lookedIntoBytes) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
