import { limits } from './limits.ts';

/** The shards of the due index: each connection is in one of them, from its first write on. */
export const dueShards: readonly string[] = Array.from({ length: limits.dueShards }, (_, shard) => String(shard));
