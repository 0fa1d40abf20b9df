/** What the local broker uses of dynalite, which has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface Options {
    /** Directory of the LevelDB store; in memory without it. */
    path?: string;
    /** How long a new table stays in state CREATING; 500 without it. */
    createTableMs?: number;
  }

  /** An HTTP server that speaks DynamoDB's protocol; closing it closes its store. */
  function dynalite(options: Options): Server;
  export = dynalite;
}
