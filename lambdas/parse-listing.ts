/** Reads what is wanted of the list of connections. Apart from `parse.ts`, since it brings the presets along. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { shownStates } from '../shared/domain/connection.ts';
import { type ConnectionName, parseConnectionName } from '../shared/domain/connection-name.ts';
import type { Fault, Parsed } from '../shared/domain/fault.ts';
import { limits } from '../shared/domain/limits.ts';
import { perhaps } from '../shared/providers/perhaps.ts';
import { knownPresets } from '../shared/providers/presets/index.ts';
import { bodyFaults, queryFaults } from './parse.ts';
import type { ConnectionReply } from './replies.ts';

export interface Listing {
  /** How many connections to answer with at most. */
  readonly limit: number;
  /** The connection after which the list goes on. */
  readonly after?: ConnectionName;
  /** Absent where every connection is wanted. */
  readonly wanted?: (item: ConnectionReply) => boolean;
}

const listParameters = ['limit', 'after', 'state', 'provider'] as const;

/** Returns what is wanted, or every fault in the query at once. */
export function parseListing(event: APIGatewayProxyEventV2): Parsed<Listing> {
  const query = event.queryStringParameters ?? {};
  const faults: Fault[] = [...queryFaults(event, listParameters), ...bodyFaults(event)];
  const limit = query.limit === undefined ? limits.listPage : wholeNumber(query.limit);
  if (!(limit >= 1 && limit <= limits.listPage))
    faults.push({ path: 'limit', message: `must be a whole number from 1 to ${limits.listPage}` });
  const after = query.after === undefined ? undefined : parseConnectionName(query.after);
  if (query.after !== undefined && after === undefined)
    faults.push({ path: 'after', message: 'must be the "next" of the page before' });
  const inState = anyOf('state', query.state, shownStates, faults);
  const ofProvider = anyOf('provider', query.provider, Object.keys(knownPresets), faults);
  if (faults.length > 0) return { ok: false, faults };
  const filtered = query.state !== undefined || query.provider !== undefined;
  return {
    ok: true,
    value: {
      limit,
      ...(after !== undefined && { after }),
      ...(filtered && { wanted: ({ state, provider }) => inState(state) && ofProvider(provider) }),
    },
  };
}

const wholeNumber = (text: string): number => (/^\d{1,6}$/.test(text) ? Number(text) : Number.NaN);

/** A parameter may be repeated, which API Gateway joins by commas. */
function anyOf(
  path: string,
  text: string | undefined,
  known: readonly string[],
  faults: Fault[],
): (value: string) => boolean {
  if (text === undefined) return () => true;
  const given = text.split(',');
  const unknown = given.find((value) => !known.includes(value));
  if (unknown !== undefined)
    faults.push({ path, message: `has a value that is not known; ${perhaps(unknown, known)}` });
  return (value) => given.includes(value);
}
