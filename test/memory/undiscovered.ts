/** For connections that give their endpoints themselves. */
import type { Discovery } from '../../shared/ports/discovery.ts';
import { connectionRequests } from '../../shared/providers/connection-requests.ts';

const discovery: Discovery = { discover: () => Promise.reject(new Error('no authorization server is asked here')) };

export const undiscovered = { discovery, requests: connectionRequests({ allowLoopback: false }) };
