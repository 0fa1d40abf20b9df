/** One report from the field, as data: what was put, what the server answers, and what must come of it within a day. */

/** What the server answers to one call. */
export interface ServerReply {
  readonly status?: number;
  /** `content-type` is `application/json` unless told otherwise. */
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes out as JSON, a text as it is. */
  readonly body?: object | string;
  /** What the body is wrapped in on the wire, in this order, whatever the headers say. */
  readonly packed?: readonly ('gzip' | 'deflate' | 'deflate-raw' | 'br' | 'zstd' | 'utf-16')[];
  /** The whole reply as it goes over the wire, in the place of all else; the connection ends with it, or is reset. */
  readonly raw?: string;
  readonly reset?: boolean;
}

/** One call to the token endpoint as the server sees it. */
export interface ServerCall {
  /** From 1. */
  readonly nth: number;
  /** Since the connection was put. */
  readonly atSeconds: number;
  readonly form: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface FieldCase {
  /** Repository and number, or the page. */
  readonly source: string;
  readonly what: string;
  /** `generic-oauth2` if absent. */
  readonly provider?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Other fields of the PUT; `null` leaves one out. */
  readonly put?: Readonly<Record<string, unknown>>;
  /** The replies in order, the last of them from then on; or what a server with a memory answers. */
  readonly answers: readonly ServerReply[] | ((call: ServerCall) => ServerReply);
  /** How often a client asks for the token; never if 0. Once a minute if absent. */
  readonly askEverySeconds?: number;
  /** The last that is asked, if not all day. */
  readonly askUntilSeconds?: number;
  /** From when an access token is dead at the provider, for servers that say otherwise. */
  readonly deadFromSeconds?: Readonly<Record<string, number>>;
  readonly hours?: number;
  readonly expected: Expected;
}

export interface Expected {
  /** Faults of the PUT, if it must be refused. */
  readonly faults?: object;
  /** Parts of `GET /connections/{connection}` at the end. */
  readonly status?: object;
  /** Parts of the first reply of `GET /token/{connection}` that had a token; `null` if no reply may have one. */
  readonly served?: object | null;
  /** Parts of the last reply of `GET /token/{connection}`. */
  readonly last?: object;
  /** How many calls the token endpoint gets, at least and at most. */
  readonly calls?: number | readonly [least: number, most: number];
  /** How many messages refreshers may get at most. */
  readonly looks?: number;
  /** Parts of the form and headers of the last call. */
  readonly request?: { readonly form?: object; readonly headers?: object; readonly body?: string };
  /** The refresh tokens that were sent, in order, as far as listed. */
  readonly sent?: readonly string[];
  /** Changes that subscribers are told of, in order. */
  readonly told?: readonly string[];
  /** How many answers to clients may be without a token, of those after the first call was answered. */
  readonly refusals?: number;
}
