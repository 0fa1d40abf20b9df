/**
 * A Worker. `POST /walk` walks; the other paths are callers of one broker of the whole isolate, each in a request of
 * its own, after which the platform drops what the request has begun.
 */
import { waitUntil } from 'cloudflare:workers';
import { tokenBroker } from 'token-broker-client';
import { walk } from './program.mjs';

let broker;

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const given = await request.json();
    if (pathname === '/walk') return Response.json(await walk(given));
    broker ??= tokenBroker({ ...given, waitUntil });
    const { generation } = await broker.token('demo');
    return Response.json({ generation });
  },
};
