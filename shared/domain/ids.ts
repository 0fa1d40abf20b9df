/**
 * The numbers and names by which the protocol tells one thing from another. None of them can be given for another one.
 */
import type { Brand } from './brand.ts';

/** Random, new for each authorization or import: the first four groups of a UUID. */
export type GrantId = Brand<string, 'GrantId'>;

/** Numbers the token sets of a connection: +1 for each that is committed. */
export type Generation = Brand<number, 'Generation'>;

/** A fencing token: +1 for each lease that is granted, so that the later one of two writers can be told. */
export type Fence = Brand<number, 'Fence'>;

/** Numbers the secrets over which a connection's refresh tokens alternate, from 0. */
export type Slot = Brand<number, 'Slot'>;

/** Names one version of a secret, as `versionIdOf` makes it: what a refresh token is read by. */
export type VersionId = Brand<string, 'VersionId'>;

export const nextFence = (fence: Fence): Fence => (fence + 1) as Fence;
