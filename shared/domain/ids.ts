/** The numbers and names by which the protocol tells one thing from another. None can stand for another one of them. */

/** Random, new for each authorization or import: the first four groups of a UUID. */
export type GrantId = string;

/** Numbers the token sets of a connection: +1 for each that is committed. */
export type Generation = number;

/** A fencing token: +1 for each lease that is granted, so that of two writers the later one can be told. */
export type Fence = number;

/** Numbers the secrets over which a connection's refresh tokens alternate, from 0. */
export type Slot = number;

/** Names one version of a secret, as `versionIdOf` makes it: what a refresh token is read by. */
export type VersionId = string;

export const nextFence = (fence: Fence): Fence => (fence + 1) as Fence;
