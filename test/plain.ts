/**
 * Tests write fencing tokens, generations, slots and ids as the numbers and texts that they are; the product tells them
 * apart.
 */
import * as connection from '../shared/domain/connection.ts';
import * as grants from '../shared/domain/grant-writes.ts';
import type { Fence, Generation, GrantId, Slot, VersionId } from '../shared/domain/ids.ts';

/** The type with plain numbers and texts in the places of such values. */
export type Plain<T> = T extends Fence | Generation | Slot
  ? number
  : T extends GrantId | VersionId
    ? string
    : T extends string | number | boolean | undefined
      ? T
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;

/** The same value, told apart again. */
export const told = <T>(value: Plain<T>): T => value as T;

export const inSecret = (slot: number, versionId: string) => connection.inSecret(slot as Slot, versionId as VersionId);

export const firstPlace = (grantId: string) => grants.firstPlace(grantId as GrantId);

export const versionIdOf = (grantId: string, fence: number) =>
  connection.versionIdOf(grantId as GrantId, fence as Fence);

export const slotOf = (slot: number) => slot as Slot;
