/** Secrets, their versions and labels in SQLite. Every method belongs inside `atomically`. */
import { randomInt } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { arnOf } from '../../platform/account.ts';
import { openTables } from '../storage.ts';

const dayMs = 86_400_000;
/** Versions of one secret. Those that have a label, or are younger than a day, are never pruned to make room. */
const maxVersions = 100;

const definitions = `
  create table if not exists secret (
    arn text primary key,
    name text not null unique,
    attributes text not null,
    created_at integer not null,
    changed_at integer not null,
    current_since integer not null,
    deletion_at integer
  ) strict;
  create table if not exists secret_version (
    arn text not null references secret on delete cascade,
    version_id text not null,
    value text not null,
    created_at integer not null,
    primary key (arn, version_id)
  ) strict;
  create table if not exists secret_label (
    arn text not null,
    label text not null,
    version_id text not null,
    primary key (arn, label),
    foreign key (arn, version_id) references secret_version on delete cascade
  ) strict;`;

/** Instants are milliseconds since the epoch. `attributes` is JSON, spread into the description. */
export interface SecretRow {
  readonly arn: string;
  readonly name: string;
  readonly attributes: string;
  readonly created_at: number;
  readonly changed_at: number;
  /** When AWSCURRENT last moved. */
  readonly current_since: number;
  /** Set while the secret is scheduled for deletion. */
  readonly deletion_at: number | null;
}

/** A version, and what it holds. */
export interface StoredVersion {
  readonly name: string;
  readonly versionId: string;
  readonly value: string;
}

export interface VersionRow {
  readonly version_id: string;
  /** JSON with `SecretString`. */
  readonly value: string;
  readonly created_at: number;
}

export class SecretStorage {
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number) {
    openTables(database, definitions);
    this.#database = database;
    this.#now = now;
  }

  /** Every version of every secret, by name and id. */
  versionsOfAll(): readonly StoredVersion[] {
    const rows = this.#database
      .prepare('select name, version_id, value from secret join secret_version using (arn) order by name, version_id')
      .all();
    return rows.map((row) => ({ name: String(row.name), versionId: String(row.version_id), value: String(row.value) }));
  }

  /**
   * The secret with this name, ARN, or ARN without its hyphen and six random characters; those whose deletion is due
   * are gone.
   */
  find(secretId: string): SecretRow | undefined {
    this.#run('delete from secret where deletion_at <= ?', this.#now());
    const found = this.#database
      .prepare('select * from secret where ? in (name, arn, substr(arn, 1, length(arn) - 7))')
      .get(secretId);
    return found as SecretRow | undefined;
  }

  insert(name: string, attributes: object): SecretRow {
    const now = this.#now();
    const row = {
      arn: arnOf('secretsmanager', `secret:${name}-${sixRandomCharacters()}`),
      name,
      attributes: JSON.stringify(attributes),
    };
    this.#run('insert into secret values (?, ?, ?, ?, ?, ?, null)', row.arn, row.name, row.attributes, now, now, now);
    return { ...row, created_at: now, changed_at: now, current_since: now, deletion_at: null };
  }

  remove(arn: string): void {
    this.#run('delete from secret where arn = ?', arn);
  }

  /** Schedules the deletion, or calls it off. */
  setDeletion(arn: string, at: number | null): void {
    this.#run('update secret set deletion_at = ?, changed_at = ? where arn = ?', at, this.#now(), arn);
  }

  version(arn: string, versionId: string): VersionRow | undefined {
    const found = this.#database
      .prepare('select * from secret_version where arn = ? and version_id = ?')
      .get(arn, versionId);
    return found as VersionRow | undefined;
  }

  /** All versions, oldest first. */
  versions(arn: string): VersionRow[] {
    const rows = this.#database
      .prepare('select * from secret_version where arn = ? order by created_at, rowid')
      .all(arn);
    return rows as unknown as VersionRow[];
  }

  /** The labels of the secret and the version that each is attached to. */
  labels(arn: string): Map<string, string> {
    const rows = this.#database
      .prepare('select label, version_id from secret_label where arn = ? order by label')
      .all(arn);
    return new Map(rows.map((row) => [String(row.label), String(row.version_id)]));
  }

  /** Adds a version, without labels. False if there are as many as may be, and none that may go. */
  addVersion(arn: string, versionId: string, value: string): boolean {
    const surplus = this.versions(arn).length + 1 - maxVersions;
    const pruned = this.#run(
      `delete from secret_version where rowid in (
         select rowid from secret_version where arn = ? and created_at <= ?
           and version_id not in (select version_id from secret_label where arn = ?)
         order by created_at, rowid limit ?)`,
      arn,
      this.#now() - dayMs,
      arn,
      Math.max(0, surplus),
    );
    if (pruned < surplus) return false;
    this.#run('insert into secret_version values (?, ?, ?, ?)', arn, versionId, value, this.#now());
    this.#run('update secret set changed_at = ? where arn = ?', this.#now(), arn);
    return true;
  }

  /** Attaches the label to this version only, or to none. AWSPREVIOUS goes to the version that AWSCURRENT leaves. */
  moveLabel(arn: string, label: string, versionId: string | undefined): void {
    const from = this.labels(arn).get(label);
    if (from === versionId) return;
    this.#run('delete from secret_label where arn = ? and label = ?', arn, label);
    if (versionId !== undefined) this.#run('insert into secret_label values (?, ?, ?)', arn, label, versionId);
    this.#run('update secret set changed_at = ? where arn = ?', this.#now(), arn);
    if (label !== 'AWSCURRENT') return;
    this.#run('update secret set current_since = ? where arn = ?', this.#now(), arn);
    if (from !== undefined) this.moveLabel(arn, 'AWSPREVIOUS', from);
  }

  /** Returns the number of rows changed. */
  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }
}

function sixRandomCharacters(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 6 }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}
