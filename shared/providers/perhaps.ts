/** Returns what to say of a name that is not known: the known name that was probably meant, else all of them. */
export function perhaps(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: editsBetween(plain(name), plain(candidate)) }))
    // A third of a short name is another name, not a slip.
    .filter(({ candidate, edits }) => edits <= Math.min(3, Math.floor(plain(candidate).length / 4)))
    .sort((a, b) => a.edits - b.edits);
  return nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest.candidate}?`;
}

/** Names differ most often in how their words are joined. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** How many letters have to be put in, taken away or replaced (the Levenshtein distance). */
function editsBetween(from: string, to: string): number {
  let before = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const row = [i + 1];
    for (const [j, other] of [...to].entries())
      row.push(Math.min(at(row, j) + 1, at(before, j + 1) + 1, at(before, j) + (letter === other ? 0 : 1)));
    before = row;
  }
  return at(before, to.length);
}

const at = (row: readonly number[], i: number): number => row[i] ?? Number.POSITIVE_INFINITY;
