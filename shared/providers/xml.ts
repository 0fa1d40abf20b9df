/** XML to and from the objects that JSON would give. */
import { XMLBuilder, XMLParser } from 'fast-xml-parser';

const parser = new XMLParser({ parseTagValue: false });
const builder = new XMLBuilder({ attributeNamePrefix: '@', ignoreAttributes: false, suppressEmptyNode: true });

/**
 * The reply's elements as members, every value a text; undefined if it is no XML. A document type could define
 * entities: no provider sends one.
 */
export function xmlMembers(body: string): unknown {
  if (/<!DOCTYPE/i.test(body) || !body.trimStart().startsWith('<')) return undefined;
  try {
    return parser.parse(body);
  } catch {
    return undefined;
  }
}

/** Returns the document. Texts are escaped; a member `@name` is an attribute. */
export const xmlOf = (root: unknown): string => `<?xml version="1.0" encoding="UTF-8"?>${builder.build(root)}`;
