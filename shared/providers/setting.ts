/**
 * The settings of a preset: what a PUT may or must give for one connection, in place of a fact or for a
 * `{placeholder}`.
 */
import * as v from 'valibot';
import { type Facts, memberPath, seconds, words } from './facts.ts';

/** The fact in whose place the setting's value is put. A setting without one is for `{placeholders}` only. */
const replaces = <const Names extends readonly (keyof Facts)[]>(names: Names) => v.exactOptional(v.picklist(names));
const about = { description: words, required: v.exactOptional(v.literal(true)) };

export const settingSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('text'),
    ...about,
    /**
     * A regular expression that the whole text must match. Required where the text becomes part of an endpoint, so that
     * it cannot lead to another host.
     */
    pattern: v.exactOptional(words),
    default: v.exactOptional(words),
    /**
     * A login's callback tells it in this parameter. It stays with the grant, and clients get it under this name in
     * `values`.
     */
    callback: v.exactOptional(words),
    /**
     * Replies of the token endpoint tell it at this path. It stays with the grant likewise, under the name of the
     * callback's parameter, or else the last name of the path.
     */
    reply: v.exactOptional(memberPath),
    replaces: replaces(['scope']),
  }),
  v.strictObject({
    kind: v.literal('url'),
    ...about,
    replaces: replaces(['tokenEndpoint', 'authorizationEndpoint', 'revocationEndpoint']),
  }),
  /**
   * An authorization server by its issuer (RFC 8414): the endpoints that are not given are discovered when the
   * connection is put.
   */
  v.strictObject({ kind: v.literal('issuer'), ...about }),
  v.strictObject({
    kind: v.literal('choice'),
    ...about,
    choices: v.pipe(v.array(words), v.nonEmpty()),
    /** What templates have in the place of a choice; the choice itself if absent. */
    standsFor: v.exactOptional(v.record(v.string(), words)),
    default: v.exactOptional(words),
    replaces: replaces([
      'clientAuthentication',
      'assertionAudience',
      'grant',
      'expiresInUnit',
      'rotation',
      'pkce',
      'refreshScope',
      'clientIdInBody',
      'requestFormat',
      'renewalEnds',
    ]),
  }),
  /** Whole seconds; its name ends in `_seconds`. */
  v.strictObject({
    kind: v.literal('duration'),
    ...about,
    least: seconds,
    most: seconds,
    default: v.exactOptional(seconds),
    replaces: replaces(['lifetimeSeconds', 'minTokenAgeSeconds', 'graceSeconds']),
  }),
  /**
   * Kept in the store of secrets with the client secret; never described. `private_key`: PEM or JWK. `totp_seed`:
   * base32 (RFC 6238).
   */
  v.strictObject({
    kind: v.literal('secret'),
    ...about,
    format: v.exactOptional(v.picklist(['private_key', 'totp_seed'])),
  }),
]);

/** One of a preset's own settings, as a connection may give it in `settings`. */
export type Setting = v.InferOutput<typeof settingSchema>;
export type Settings = Readonly<Record<string, Setting>>;
