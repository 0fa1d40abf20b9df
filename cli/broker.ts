/** The broker's HTTP API as the commands use it. */
import type { ConnectionList, ConnectionReply, LinkReply } from '../lambdas/replies.ts';
import { callApi, Refused, type Request, type Send } from './api.ts';

export type Description = ConnectionReply;

/** Which connections; all where nothing is said. */
interface Wanted {
  readonly states?: readonly Description['state'][];
  readonly providers?: readonly string[];
}

export class Broker {
  /** Where it is, for people. */
  readonly url: string;
  readonly #send: Send;

  constructor(url: string, send: Send) {
    this.url = url;
    this.#send = send;
  }

  /** Returns the JSON of a reply. Throws `Refused`, or a failure to reach the broker. */
  async call<T>(path: string, request: Request = {}): Promise<T> {
    return (await callApi<T>(this.#send, { ...request, path, url: this.url })).value;
  }

  /** Returns the headers of a reply to a request that changes nothing. */
  async headers(): Promise<Headers> {
    return (await callApi(this.#send, { path: '/connections?limit=1', url: this.url })).headers;
  }

  describe(name: string): Promise<Description> {
    return this.call(connectionPath(name));
  }

  /** Returns the description, or undefined if there is no connection of this name. */
  async find(name: string): Promise<Description | undefined> {
    try {
      return await this.describe(name);
    } catch (error) {
      if (error instanceof Refused && error.code === 'connection_not_found') return undefined;
      throw error;
    }
  }

  /** Returns the descriptions of all connections, or of those that are wanted, by name. */
  async all({ states = [], providers = [] }: Wanted = {}): Promise<readonly Description[]> {
    const found: Description[] = [];
    const query = new URLSearchParams();
    if (states.length > 0) query.set('state', states.join());
    if (providers.length > 0) query.set('provider', providers.join());
    for (;;) {
      const { connections, next } = await this.call<ConnectionList>(
        `/connections${query.size === 0 ? '' : `?${query}`}`,
      );
      found.push(...connections);
      if (next === undefined) return found;
      query.set('after', next);
    }
  }

  put(name: string, body: unknown): Promise<Description> {
    return this.call(connectionPath(name), { method: 'PUT', body });
  }

  link(name: string, seconds: number | undefined): Promise<LinkReply> {
    return this.call(`${connectionPath(name)}/authorizations`, {
      method: 'POST',
      ...(seconds !== undefined && { body: { expires_in: seconds } }),
    });
  }

  endLink(name: string): Promise<void> {
    return this.call(`${connectionPath(name)}/authorizations`, { method: 'DELETE' });
  }

  pause(name: string): Promise<Description> {
    return this.call(`${connectionPath(name)}/pause`, { method: 'PUT' });
  }

  resume(name: string): Promise<Description> {
    return this.call(`${connectionPath(name)}/pause`, { method: 'DELETE' });
  }

  /** What is left to do at the provider, if anything is. */
  delete(name: string): Promise<{ readonly detail?: string } | undefined> {
    return this.call(connectionPath(name), { method: 'DELETE' });
  }
}

const connectionPath = (name: string): string => `/connections/${encodeURIComponent(name)}`;
