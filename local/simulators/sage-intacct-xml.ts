/**
 * Sage Intacct's XML gateway as its documentation and SDK describe it: sessions, and two functions that take one.
 * Nothing here was tried against the live service; what is said of each fact is in the preset
 * (`shared/providers/presets/sage-intacct-xml.ts`). What could not be settled is a switch, marked "unsettled".
 */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { readXml, refusalAt, type XmlError, xmlReply } from './sage-intacct-xml-messages.ts';
import {
  type Call,
  type Mishap,
  type Reply,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from './simulator.ts';

const sageIntacctXmlFacts = {
  /** A setting of user and company; 24 h in Sage's example. It slides: each call begins it anew. */
  sessionSeconds: 86_400,
  /** The offset of the instants in replies, in hours. Sage's example is in Pacific time. */
  offsetHours: -7,
  /** Where sessions are to be used. Never this simulator: it is neither at Sage nor on https. */
  endpoint: 'https://api.intacct.com/ia/xml/xmlgw.phtml',
  /** Of an answer with an error in it: often 200. Unsettled. */
  errorStatus: 200,
  /** Where a refused sign-in is told; both have been seen. */
  signInErrorAt: 'operation' as 'operation' | 'authentication',
  /** What a new session does to the one before. Unsettled. */
  earlierSession: 'lives' as 'lives' | 'dies',
  /** So many refused sign-ins in a row are borne; then the user is locked. Unsettled. */
  signInsBorne: Number.POSITIVE_INFINITY,
  /** What a function gets whose control id was there before, where the request says that ids are unique. Unsettled. */
  resubmission: 'same_result' as 'same_result' | 'refused',
  /** How long the gateway takes. */
  answerMs: 0,
};
export type SageIntacctXmlFacts = Readonly<typeof sageIntacctXmlFacts>;

interface SageIntacctXmlOptions extends SimulatorOptions {
  readonly facts?: Partial<SageIntacctXmlFacts>;
}

export interface SageIntacctXml extends Omit<Simulator, 'next'> {
  /** The one address, for sessions and for all else. */
  readonly gateway: string;
  /** What a request for a session has in it, by the names of the preset's settings. */
  readonly credentials: Readonly<
    Record<'sender_id' | 'sender_password' | 'company_id' | 'user_id' | 'user_password', string>
  >;
  /** From now on only this one is good; it also ends a lock. */
  changeUserPassword(password: string): void;
  changeSenderPassword(password: string): void;
  /** Vendors that were created. */
  readonly vendors: readonly string[];
  /** Every session that was given, by its id, and until when it is good. */
  readonly sessions: ReadonlyMap<string, number>;
  /** How the coming calls go wrong. */
  next(...mishaps: readonly Mishap[]): void;
}

const path = '/ia/xml/xmlgw.phtml';
const entities: readonly string[] = ['E100', 'E200'];

/** Mishaps that have been reported, or are documented. */
export const mishaps = {
  throttled: (retryAfter?: string) => ({
    answer: {
      ...refusalAt('control', { errorno: 'GW-0010', description2: 'Too many requests' }, 429),
      ...(retryAfter && { headers: { 'retry-after': retryAfter } }),
    },
  }),
  inactive: { answer: refusalAt('control', { errorno: 'GW-0011', description2: 'Invalid Request' }, 200) },
  /** Dealt with, but nothing came back: no XML, no body. */
  midProcess: { answer: { status: 500 }, handled: true },
  down: { answer: { status: 503 } },
  replyLost: { cutOff: true },
} as const satisfies Record<string, Mishap | ((...given: never[]) => Mishap)>;

const text = v.optional(v.string(), '');
const FunctionElement = v.looseObject({ '@controlid': text });
const Request = v.object({
  request: v.object({
    control: v.object({
      senderid: text,
      password: text,
      controlid: v.pipe(v.string(), v.maxLength(256)),
      uniqueid: text,
      dtdversion: v.literal('3.0'),
    }),
    operation: v.object({
      authentication: v.object({
        login: v.optional(
          v.object({ userid: text, companyid: text, locationid: v.optional(v.string()), password: text }),
        ),
        sessionid: v.optional(v.string()),
      }),
      content: v.object({ function: v.union([v.pipe(v.array(FunctionElement), v.minLength(1)), FunctionElement]) }),
    }),
  }),
});
type Asked = v.InferOutput<typeof Request>['request'];

/** Starts the simulator, with one sender, one company and one user. */
export async function startSageIntacctXml(options: SageIntacctXmlOptions): Promise<SageIntacctXml> {
  const { clock } = options;
  const facts: SageIntacctXmlFacts = { ...sageIntacctXmlFacts, ...options.facts };
  const newSecret = (): string => randomBytes(12).toString('base64url');
  const sender = { id: 'BrokerMPP', password: newSecret() };
  const user = { company: 'northwind', id: 'broker', password: newSecret(), refused: 0 };
  const first = {
    sender_id: sender.id,
    sender_password: sender.password,
    company_id: user.company,
    user_id: user.id,
    user_password: user.password,
  };
  const sessions = new Map<string, number>();
  const vendors: string[] = [];
  const done = new Map<string, object>();

  function handle(call: Call): Reply {
    if (call.path !== path) return { status: 404 };
    const request = v.safeParse(Request, readXml(call.body));
    if (!request.success) return refuse('control', 'XL03000003', 'XML Parse error: the request is not a valid one.');
    return answer(request.output.request, call.at);
  }

  const refuse = (level: Parameters<typeof refusalAt>[0], errorno: string, description2: string): Reply =>
    refusalAt(level, { errorno, description2 }, facts.errorStatus);

  function answer({ control, operation }: Asked, at: number): Reply {
    const { login, sessionid } = operation.authentication;
    if (control.senderid !== sender.id || control.password !== sender.password) {
      return refuse('control', 'XL03000006', 'Incorrect Intacct XML Partner ID or password.');
    }
    const signedIn = login === undefined ? extended(sessionid ?? '', at) : signs(login);
    if (!signedIn) return refuse(facts.signInErrorAt, 'XL03000006', 'Sign-in information is incorrect');
    const functions = [operation.content.function].flat();
    if (login?.locationid !== undefined && !entities.includes(login.locationid))
      return refuse('function', 'BL01001973', 'There is no such entity');
    const results = functions.map((asked) =>
      run(asked, control.uniqueid === 'true', functions.length, login?.locationid ?? '', at),
    );
    const authentication = { status: 'success', userid: user.id, companyid: user.company, ...times(at) };
    return xmlReply(200, {
      control: { status: 'success', senderid: sender.id, controlid: control.controlid },
      operation: { authentication, result: results },
    });
  }

  function signs({ userid, companyid, password }: NonNullable<Asked['operation']['authentication']['login']>): boolean {
    const good =
      userid === user.id &&
      companyid === user.company &&
      password === user.password &&
      user.refused < facts.signInsBorne;
    user.refused = good ? 0 : user.refused + 1;
    return good;
  }

  /** A session that is used lives on. */
  function extended(session: string, at: number): boolean {
    const good = (sessions.get(session) ?? 0) > at;
    if (good) sessions.set(session, at + facts.sessionSeconds * 1_000);
    return good;
  }

  /** The instant is told by the caller's clock. */
  function times(at: number): object {
    return {
      sessiontimestamp: isoAt(clock.tell(at), facts.offsetHours),
      sessiontimeout: isoAt(clock.tell(at + facts.sessionSeconds * 1_000), facts.offsetHours),
    };
  }

  function run(
    asked: v.InferOutput<typeof FunctionElement>,
    unique: boolean,
    functions: number,
    entity: string,
    at: number,
  ): object {
    const controlid = asked['@controlid'];
    const succeeded = (name: string, data: object): object => ({ status: 'success', function: name, controlid, data });
    const failed = (name: string, error: XmlError): object => ({
      status: 'failure',
      function: name,
      controlid,
      errormessage: { error },
    });
    if ('getAPISession' in asked) {
      if (functions > 1)
        return failed('getAPISession', {
          errorno: 'XL03000009',
          description2: 'getAPISession must be the only function.',
        });
      if (facts.earlierSession === 'dies') for (const session of sessions.keys()) sessions.set(session, at);
      const sessionid = `${randomBytes(12).toString('base64url')}..`;
      sessions.set(sessionid, at + facts.sessionSeconds * 1_000);
      return succeeded('getAPISession', { api: { sessionid, endpoint: facts.endpoint, locationid: entity } });
    }
    if ('query' in asked) return succeeded('query', { VENDOR: vendors.map((NAME) => ({ NAME })) });
    if (!('create' in asked))
      return failed('unknown', { errorno: 'XL03000003', description2: 'There is no such function.' });
    const before = done.get(controlid);
    if (unique && before !== undefined) {
      return facts.resubmission === 'same_result'
        ? before
        : failed('create', { errorno: 'XL03000010', description2: 'This control id has been used.' });
    }
    vendors.push(v.parse(Create, asked).create.VENDOR.NAME);
    const result = succeeded('create', { vendor: { RECORDNO: String(vendors.length) } });
    done.set(controlid, result);
    return result;
  }

  const simulator = await startSimulator({ ...options, lateMsAt: { [path]: facts.answerMs } }, handle);
  return {
    url: simulator.url,
    ledger: simulator.ledger,
    gateway: simulator.url + path,
    credentials: first,
    changeUserPassword(password) {
      user.password = password;
      user.refused = 0;
    },
    changeSenderPassword(password) {
      sender.password = password;
    },
    vendors,
    sessions,
    next: (...queued) => simulator.next(path, ...queued),
    close: simulator.close,
  };
}

const Create = v.object({ create: v.object({ VENDOR: v.object({ NAME: v.string() }) }) });

/** `2019-03-29T13:14:34-07:00`. */
function isoAt(instant: number, offsetHours: number): string {
  const local = new Date(instant + offsetHours * 3_600_000).toISOString().slice(0, 19);
  return `${local}${offsetHours < 0 ? '-' : '+'}${String(Math.abs(offsetHours)).padStart(2, '0')}:00`;
}
