/** Whose JWTs open the token routes, where they are not to be opened by signatures. Given as CDK context, or to the local broker as arguments. */
import * as v from 'valibot';
import { faultOfEndpoint } from '../shared/providers/endpoint-url.ts';

export interface JwtAuthorization {
  /** As its tokens have it in `iss`, to the letter. */
  readonly issuer: string;
  /** Whom tokens may be for (`aud`): one of these. */
  readonly audience: readonly string[];
}

/** API Gateway's limit for an authorizer. */
const mostAudiences = 50;

/** API Gateway looks for the metadata below it. The URL parser would forgive white space and missing slashes, but `iss` is compared to the letter. */
const isIssuer = (text: string): boolean =>
  /^https?:\/\/[^\s\\?]+$/.test(text) && faultOfEndpoint(text, { allowLoopback: true }) === undefined;

const Schema = v.object({
  issuer: v.pipe(
    v.string(said('a URL, such as https://idp.example')),
    v.check(isIssuer, 'takes an https URL without credentials, query and fragment.'),
  ),
  audience: v.pipe(
    v.string(said('the audience of the tokens, or several with commas between them')),
    v.transform((text) => text.split(',').map((audience) => audience.trim())),
    v.check(
      (audiences) => audiences.every((audience) => /^\S+$/.test(audience)),
      'takes names without spaces, with single commas between them.',
    ),
    v.maxLength(mostAudiences, `takes at most ${mostAudiences} names.`),
  ),
});

/**
 * Returns the authorization, undefined if neither part was given, or every fault, each as a sentence. `names` says what the parts are
 * called where they were given. Values are not repeated: a URL may have a password in it.
 */
export function parseJwtAuthorization(
  given: Readonly<Record<keyof JwtAuthorization, unknown>>,
  names: Readonly<Record<keyof JwtAuthorization, string>>,
): { readonly jwt: JwtAuthorization | undefined } | { readonly faults: readonly string[] } {
  if (given.issuer === undefined && given.audience === undefined) return { jwt: undefined };
  const parsed = v.safeParse(Schema, given);
  if (parsed.success) return { jwt: parsed.output };
  return {
    faults: parsed.issues.map((issue) => `${names[v.getDotPath(issue) as keyof JwtAuthorization]}: ${issue.message}`),
  };
}

/** What the CDK context calls them. */
export const jwtContext = { issuer: 'jwtIssuer', audience: 'jwtAudience' } as const;

/** Returns what the context says, undefined if it says nothing. Throws one error that names every fault. */
export function jwtAuthorizationOf(contextOf: (name: string) => unknown): JwtAuthorization | undefined {
  const parsed = parseJwtAuthorization(
    { issuer: contextOf(jwtContext.issuer), audience: contextOf(jwtContext.audience) },
    jwtContext,
  );
  if ('faults' in parsed) throw new Error(`CDK context: ${parsed.faults.join(' ')}`);
  return parsed.jwt;
}

function said(what: string): (issue: v.StringIssue) => string {
  return ({ input }) =>
    input === undefined ? `is missing: issuer and audience go together. It takes ${what}.` : `takes ${what}.`;
}
