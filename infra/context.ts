/** What may be set in the context of CDK (`cdk.json`, or `cdk deploy -c name=value`, which hands on text). Throws if it cannot be used. */
import type { Node } from 'constructs';

/** A whole number within the range, ends included; undefined if it is not set. */
export function wholeNumber(
  node: Node,
  name: string,
  range: { readonly from: number; readonly to: number },
): number | undefined {
  const given: unknown = node.tryGetContext(name);
  if (given === undefined) return undefined;
  const number = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (typeof number === 'number' && Number.isInteger(number) && number >= range.from && number <= range.to)
    return number;
  throw new Error(`context ${name}: ${JSON.stringify(given)} is not a whole number from ${range.from} to ${range.to}`);
}
