/** Every case there is, by what it is about. To add a report is to add an entry to one of these lists. */

import type { FieldCase } from './case.ts';
import { furtherLives, furtherRefusals, furtherTokens, furtherWire } from './cases/further.ts';
import { again, endedTokens, grantEnds, ofTheGrant, usedRefreshTokens } from './cases/lives.ts';
import { names, outages, places, words } from './cases/refusals.ts';
import { costumes, halves, lives, refreshTokens, truths, types, wrappings } from './cases/replies.ts';
import { requests } from './cases/requests.ts';
import { brokenOff, ends, guarded, inside, tokenTexts, units } from './cases/shapes.ts';
import { worded } from './cases/worded.ts';

export const cases: Readonly<Record<string, readonly FieldCase[]>> = {
  'the words beside a code': words,
  'refusals by other names': names,
  outages,
  'endpoints that have moved': places,
  'replies that are wrapped': wrappings,
  'refresh tokens as received': refreshTokens,
  'how long a token lives': lives,
  'token types': types,
  'what is no error': truths,
  'secrets in other costumes': costumes,
  'half characters': halves,
  'what servers want of a request': requests,
  'a success that brings nothing new': again,
  'ends that replies tell': grantEnds,
  'a renewal that ends the token before': endedTokens,
  'what becomes of a used refresh token': usedRefreshTokens,
  'what is of the grant': ofTheGrant,
  'refusals as they are worded': worded,
  'further refusals': furtherRefusals,
  'further redirects, headers and sizes': furtherWire,
  'tokens inside of something': inside,
  'what stands around JSON, and against its grammar': guarded,
  'replies that break off, and odd headers': brokenOff,
  'tokens in other clothes': tokenTexts,
  'lifetimes in other units': units,
  'ends of grants by other names': ends,
  'further lives': furtherLives,
  'further tokens': furtherTokens,
};
