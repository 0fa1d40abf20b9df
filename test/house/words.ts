/** Words that make a reader look for the subject of a sentence, and what to write instead. */
export const bannedWords: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\b(?:who|whom)ever\b/i, 'a role: the client, the refresher, the planner, the operator'],
  [/\b(?:nobody|no one)\b/i, 'no and a role: no client, no refresher, no person'],
  [/\b(?:some|any)(?:body|one)\b/i, 'a role: a client, an operator, a person who may log in'],
  [/\bevery(?:body|one)\b/i, 'every and a role: every client, all refreshers'],
  [/\bothers\b/i, 'what the others are: other clients, the other refreshers'],
  [/\b(?:is|are|was|be) none\b/i, 'what is missing: there is no …, it is not …'],
  [/\bhow-manieth\b/i, 'on which call (1 = first)'],
];
