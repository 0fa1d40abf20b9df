/** Which process is at the other end of a loopback connection. Linux only: it reads /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Returns the one of `pids` that holds the other end. Throws if none does. */
export function peerOf({ remotePort = 0, localPort = 0 }: Socket, pids: readonly number[]): number {
  const inode = inodeOf(remotePort, localPort);
  const pid = pids.find((candidate) => inode !== undefined && holds(candidate, inode));
  if (pid === undefined)
    throw new Error(
      `none of the processes ${pids.join(', ')} has the connection from port ${remotePort} to ${localPort}`,
    );
  return pid;
}

/** https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
function inodeOf(from: number, to: number): string | undefined {
  const port = (number: number): string => `:${number.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.find(([, local = '', remote = '']) => local.endsWith(port(from)) && remote.endsWith(port(to)))?.[9];
}

const holds = (pid: number, inode: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);

/** A descriptor may be closed between being listed and being read. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
