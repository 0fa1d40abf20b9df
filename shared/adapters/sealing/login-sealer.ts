/**
 * Links and states of logins: AES-256-GCM over fields of fixed width, under a key of their own. They tell a reader
 * nothing, and have 171 characters whatever the connection is called: some providers cut a longer `state`.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import { parseConnectionName } from '../../domain/connection-name.ts';
import { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LoginSealer, LoginState } from '../../ports/login-sealer.ts';
import { type Key, keyRing, type ReadKey } from './key-ring.ts';

type Kind = 'link' | 'state';

const cipher = 'aes-256-gcm';
/** In this order: which key it is, nonce, sealed fields, tag. */
const keyTagBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
/** In this order: id, browser, length of the name, name. */
const uuidBytes = 16;
const nameBytes = 63;
const fieldsBytes = 2 * uuidBytes + 1 + nameBytes;
const allBytes = keyTagBytes + nonceBytes + fieldsBytes + tagBytes;
/** A link is for any browser. */
const noBrowser = '00000000-0000-0000-0000-000000000000';

export function loginSealer(readKey: ReadKey, clock: Pick<Clock, 'now'>): LoginSealer {
  const keys = keyRing('state', readKey, clock);

  async function seal(kind: Kind, state: LoginState): Promise<{ readonly text: string; readonly key: Key }> {
    await keys.ready();
    const key = await keys.current();
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, key.bytes, nonce).setAAD(Buffer.from(kind));
    const sealed = [sealing.update(fieldsOf(state)), sealing.final()];
    return { text: Buffer.concat([tagOf(key.kid), nonce, ...sealed, sealing.getAuthTag()]).toString('base64url'), key };
  }

  async function open(
    kind: Kind,
    text: string,
  ): Promise<{ readonly state: LoginState; readonly key: Key } | undefined> {
    const bytes = Buffer.from(text, 'base64url');
    // The last character can have bits that mean nothing: a text has one spelling, since the verifier is derived from
    // it.
    if (bytes.length !== allBytes || bytes.toString('base64url') !== text) return undefined;
    const key = await keys.recent((kid) => tagOf(kid).equals(bytes.subarray(0, keyTagBytes)));
    const fields = key && opened(kind, bytes.subarray(keyTagBytes), key);
    const state = fields && stateOf(fields);
    return key && state && { state, key };
  }

  return {
    sealLink: async (link) => (await seal('link', { ...link, browser: noBrowser })).text,

    async openLink(text) {
      const found = await open('link', text);
      return found && { id: found.state.id, connection: found.state.connection };
    },

    async sealState(state) {
      const { text, key } = await seal('state', state);
      return { text, codeVerifier: verifierOf(text, key) };
    },

    async openState(text) {
      const found = await open('state', text);
      return found && { ...found.state, codeVerifier: verifierOf(text, found.key) };
    },
  };
}

const tagOf = (kid: string): Buffer => hash('sha256', kid, 'buffer').subarray(0, keyTagBytes);

function opened(kind: Kind, bytes: Buffer, key: Key): Buffer | undefined {
  const opening = createDecipheriv(cipher, key.bytes, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  opening.setAAD(Buffer.from(kind)).setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]);
  } catch {
    return undefined;
  }
}

/** RFC 7636 §4.1: 43 characters. It is derived, so that it is never stored and need not travel. */
const verifierOf = (text: string, { bytes }: Key): Secret =>
  new Secret(Buffer.from(hkdfSync('sha256', bytes, '', `code_verifier ${text}`, 32)).toString('base64url'));

function fieldsOf({ id, browser, connection }: LoginState): Buffer {
  const fields = Buffer.alloc(fieldsBytes);
  fields.set(bytesOf(id), 0);
  fields.set(bytesOf(browser), uuidBytes);
  fields.writeUInt8(connection.length, 2 * uuidBytes);
  fields.write(connection, 2 * uuidBytes + 1, 'latin1');
  return fields;
}

function stateOf(fields: Buffer): LoginState | undefined {
  const from = 2 * uuidBytes + 1;
  const name = fields.toString('latin1', from, from + fields.readUInt8(from - 1));
  const connection = parseConnectionName(name);
  return connection && { id: uuidOf(fields, 0), browser: uuidOf(fields, uuidBytes), connection };
}

function bytesOf(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  if (bytes.length !== uuidBytes) throw new Error('an id of a login must be a UUID');
  return bytes;
}

const uuidOf = (fields: Buffer, at: number): string =>
  fields.toString('hex', at, at + uuidBytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
