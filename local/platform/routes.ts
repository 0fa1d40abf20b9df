/**
 * Which route a request is for, as API Gateway finds it: methods and literal segments are compared exactly, and a
 * literal goes before a parameter.
 */
import type { RouteDefinition } from './deployment.ts';

interface Match {
  readonly route: RouteDefinition;
  /** Decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Returns what finds the route of a method and a path as sent. There is no route where a parameter would be empty or is
 * not well encoded.
 */
export function routeFinder(routes: readonly RouteDefinition[]): (method: string, path: string) => Match | undefined {
  const parametersIn = ({ routeKey }: RouteDefinition): number => routeKey.split('{').length;
  const table = routes
    .toSorted((a, b) => parametersIn(a) - parametersIn(b))
    .map((route) => ({ route, segments: route.routeKey.split('/') }));

  return (method, path) => {
    const given = `${method} ${path}`.split('/');
    for (const { route, segments } of table) {
      const parameters = segments.length === given.length ? parametersOf(segments, given) : undefined;
      if (parameters) return { route, parameters };
    }
    return undefined;
  };
}

function parametersOf(segments: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    const value = given[index] ?? '';
    if (name === undefined && value !== segment) return undefined;
    const decoded = name === undefined ? '' : decode(value);
    if (name !== undefined && !decoded) return undefined;
    if (name !== undefined && decoded) parameters[name] = decoded;
  }
  return parameters;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
