import type { DatabaseSync } from 'node:sqlite';
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Forgets one grant, or every one, with its tokens, as if it had been revoked. */
export function forgetGrants(database: DatabaseSync, id: string | undefined): void {
  const what = id === undefined ? '' : ' AND ? IN (id, grant_id)';
  const forget = database.prepare(
    `DELETE FROM authorization_server WHERE (model = 'Grant' OR grant_id IS NOT NULL)${what}`,
  );
  forget.run(...(id === undefined ? [] : [id]));
}

/** Every grant, newest first; `iat` in seconds. */
export function grantsIn(
  database: DatabaseSync,
): readonly { readonly id: string; readonly user: string; readonly iat: number }[] {
  const rows = database
    .prepare(
      `SELECT id, payload ->> '$.accountId' AS user, payload ->> '$.iat' AS iat FROM authorization_server
       WHERE model = 'Grant' AND expires_at > ? ORDER BY rowid DESC`,
    )
    .all(Math.floor(Date.now() / 1_000));
  return rows.map(({ id, user, iat }) => ({ id: String(id), user: String(user), iat: Number(iat) }));
}

/**
 * Keeps everything that oidc-provider remembers in one table, so that grants survive a restart. Expired rows are not
 * found.
 */
export function sqliteAdapter(database: DatabaseSync): (model: string) => Adapter {
  database.exec(`
    CREATE TABLE IF NOT EXISTS authorization_server (
      model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, expires_at INTEGER NOT NULL,
      grant_id TEXT AS (payload ->> '$.grantId'), uid TEXT AS (payload ->> '$.uid'),
      user_code TEXT AS (payload ->> '$.userCode'),
      PRIMARY KEY (model, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS authorization_server_grant ON authorization_server (grant_id);
    CREATE INDEX IF NOT EXISTS authorization_server_expiry ON authorization_server (expires_at);
  `);
  const now = (): number => Math.floor(Date.now() / 1000);
  const upsert = database.prepare(
    'INSERT OR REPLACE INTO authorization_server (model, id, payload, expires_at) VALUES (?, ?, ?, ?)',
  );
  const consume = database.prepare(
    `UPDATE authorization_server SET payload = json_set(payload, '$.consumed', ?) WHERE model = ? AND id = ?`,
  );
  const destroy = database.prepare('DELETE FROM authorization_server WHERE model = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM authorization_server WHERE grant_id = ?');
  const sweep = database.prepare('DELETE FROM authorization_server WHERE expires_at <= ?');
  const find = (column: 'id' | 'uid' | 'user_code') => {
    const select = database.prepare(
      `SELECT payload FROM authorization_server WHERE model = ? AND ${column} = ? AND expires_at > ?`,
    );
    return (model: string, value: string): AdapterPayload | undefined => {
      const row = select.get(model, value, now());
      return row && JSON.parse(String(row.payload));
    };
  };
  const byId = find('id');
  const byUid = find('uid');
  const byUserCode = find('user_code');

  return (model) => ({
    find: async (id) => byId(model, id),
    findByUid: async (uid) => byUid(model, uid),
    findByUserCode: async (userCode) => byUserCode(model, userCode),
    upsert: async (id, payload, expiresIn) => {
      sweep.run(now());
      upsert.run(model, id, JSON.stringify(payload), expiresIn ? now() + expiresIn : Number.MAX_SAFE_INTEGER);
    },
    consume: async (id) => void consume.run(now(), model, id),
    destroy: async (id) => void destroy.run(model, id),
    revokeByGrantId: async (grantId) => void revoke.run(grantId),
  });
}
