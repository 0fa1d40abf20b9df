/** How a provider on this machine does at the moment, so that a person can see what the broker makes of it. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** `down`: 503. `slow`: replies come late. `losing`: calls are dealt with, and their replies never arrive. */
export type WeatherKind = 'down' | 'slow' | 'losing';

export interface Weather {
  /** Begins now and ends by itself. */
  set(kind: WeatherKind, forMs: number): void;
  clear(): void;
  /** What there is, and for how many milliseconds yet; undefined where all is well. */
  now(): { readonly kind: WeatherKind; readonly forMs: number } | undefined;
}

const slowMs = 5_000;

export function startWeather(clock = Date.now): Weather {
  let current: { readonly kind: WeatherKind; readonly until: number } | undefined;
  return {
    set(kind, forMs) {
      current = { kind, until: clock() + forMs };
    },
    clear() {
      current = undefined;
    },
    now() {
      const forMs = current === undefined ? 0 : current.until - clock();
      return current !== undefined && forMs > 0 ? { kind: current.kind, forMs } : undefined;
    },
  };
}

/** Returns a listener that meets token requests as the weather is, and hands everything else on. */
export const weathered =
  (weather: Weather | undefined, listener: RequestListener): RequestListener =>
  (request, response) => {
    const kind = request.method === 'POST' ? weather?.now()?.kind : undefined;
    if (kind === 'down') response.writeHead(503, { 'content-type': 'text/plain' }).end('Down for a moment.\n');
    else if (kind === 'slow') setTimeout(() => listener(request, response), slowMs);
    else if (kind === 'losing') listener(request, deaf(request, response));
    else listener(request, response);
  };

/** A response whose end cuts the connection off before a byte has left. */
function deaf(request: IncomingMessage, response: ServerResponse): ServerResponse {
  const lose = (): ServerResponse => {
    request.socket.destroy();
    return response;
  };
  response.writeHead = lose;
  response.write = () => true;
  response.end = lose;
  return response;
}
