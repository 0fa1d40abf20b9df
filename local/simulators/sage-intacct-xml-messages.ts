/** Requests and replies of Sage Intacct's XML gateway, as documents. */
import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import type { Reply } from './simulator.ts';

const attributes = { attributeNamePrefix: '@', ignoreAttributes: false } as const;
const parser = new XMLParser({ ...attributes, parseTagValue: false });
const builder = new XMLBuilder(attributes);

export interface XmlError {
  readonly errorno: string;
  readonly description2: string;
}

/** The document as an object whose values are texts, or undefined if the text is no XML document. */
export function readXml(text: string): unknown {
  if (!text.startsWith('<')) return undefined;
  try {
    return parser.parse(text, true);
  } catch {
    return undefined;
  }
}

/** A reply with this inside its `<response>`. */
export const xmlReply = (status: number, response: object, error?: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml; charset=UTF-8' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ response })}`,
  ...(error !== undefined && { error }),
});

/**
 * An error at the level where it came up: at `control` nothing was run, at `operation` and `authentication` the sign-in
 * was refused (the message has been seen in both places), at `function` only that function failed.
 */
export function refusalAt(
  level: 'control' | 'operation' | 'authentication' | 'function',
  error: XmlError,
  status: number,
): Reply {
  const errormessage = {
    error: { errorno: error.errorno, description: '', description2: error.description2, correction: '' },
  };
  const control = { status: level === 'control' ? 'failure' : 'success', uniqueid: 'false', dtdversion: '3.0' };
  switch (level) {
    case 'control':
      return xmlReply(status, { control, errormessage }, error.errorno);
    case 'operation':
      return xmlReply(
        status,
        { control, operation: { authentication: { status: 'failure' }, errormessage } },
        error.errorno,
      );
    case 'authentication':
      return xmlReply(
        status,
        { control, operation: { authentication: { status: 'failure', errormessage } } },
        error.errorno,
      );
    case 'function':
      return xmlReply(
        status,
        { control, operation: { authentication: { status: 'success' }, result: { status: 'failure', errormessage } } },
        error.errorno,
      );
  }
}
