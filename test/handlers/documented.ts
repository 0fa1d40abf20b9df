/** Holds what handlers take and answer against `openapi.json`, which `openapi.test.ts` holds against the code. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

type Json = Readonly<Record<string, unknown>>;

interface Documented {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Json };
  readonly responses: Readonly<Record<string, { readonly content?: Json }>>;
}

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>;
  readonly components: { readonly schemas: Json };
};

/** A reply may have more members one day, and clients are told so; until then each of them is in the document. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]));
  return 'properties' in members && !('additionalProperties' in members)
    ? { ...members, additionalProperties: false }
    : members;
};

const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: false });
addFormats.default(ajv);
ajv.addSchema({
  $id: 'api:document',
  ...document,
  components: { schemas: closed(document.components.schemas) },
});

const validators = new Map<string, ValidateFunction>();

/** Validates against the schema at this place of the document. */
function faultsAt(place: readonly string[], value: unknown): string[] {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `api:document#/${pointer}` });
  validators.set(pointer, validate);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

function operationOf(routeKey: string) {
  const [method = '', path = ''] = routeKey.toLowerCase().split(' ');
  const documented = document.paths[path]?.[method];
  if (documented === undefined) throw new Error(`${routeKey} is not in the OpenAPI document`);
  return { documented, place: ['paths', path, method] };
}

/** Returns what the document does not say of a reply: its status, its content type, members of its body. */
export function undocumentedIn(routeKey: string, reply: APIGatewayProxyStructuredResultV2): string[] {
  const { documented, place } = operationOf(routeKey);
  const { statusCode = 0, headers = {}, body } = reply;
  const { content = {} } = documented.responses[statusCode] ?? {};
  if (!(statusCode in documented.responses)) return [`status ${statusCode} is not documented`];
  if (body === undefined) return [];
  const [type = ''] = String(headers['content-type']).split(';');
  if (!(type in content)) return [`${type} is not documented for ${statusCode}`];
  return faultsAt(
    [...place, 'responses', String(statusCode), 'content', type, 'schema'],
    type.endsWith('json') ? JSON.parse(body) : body,
  );
}

/** Returns why the document calls a request wrong. */
export function faultsOfRequest({ routeKey, ...event }: APIGatewayProxyEventV2): string[] {
  const { documented, place } = operationOf(routeKey);
  const { parameters = [], requestBody } = documented;
  const given: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    path: event.pathParameters ?? {},
    query: event.queryStringParameters ?? {},
  };
  const faults = parameters.flatMap(({ name, in: where, required }, i) => {
    const value = given[where]?.[name];
    if (value === undefined) return required ? [`${name} is missing`] : [];
    const number = /^\d+$/.test(value) ? Number(value) : value;
    const at = [...place, 'parameters', String(i), 'schema'];
    // API Gateway joins what is repeated by commas.
    return [value, number, value.split(',')].some((text) => faultsAt(at, text).length === 0)
      ? []
      : faultsAt(at, number);
  });
  const unknown = Object.keys(given.query ?? {}).filter((name) => !parameters.some((known) => known.name === name));
  const text = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8').toString();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  const faultsOfBody = () => {
    if (body === undefined) return requestBody?.required ? ['there is no body'] : [];
    if (requestBody === undefined) return ['takes no body'];
    return faultsAt([...place, 'requestBody', 'content', 'application/json', 'schema'], body);
  };
  return [...faults, ...unknown.map((name) => `${name} is not documented`), ...faultsOfBody()];
}
