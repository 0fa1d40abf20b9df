import type { Race } from './race.ts';
import { racesOfHolders } from './races-of-holders.ts';
import { racesOfPeople } from './races-of-people.ts';
import { racesOfReplies } from './races-of-replies.ts';
import { racesOfStrangers } from './races-of-strangers.ts';
import { racesOfSurroundings } from './races-of-surroundings.ts';

export const races: readonly Race[] = [
  ...racesOfHolders,
  ...racesOfSurroundings,
  ...racesOfPeople,
  ...racesOfReplies,
  ...racesOfStrangers,
];
