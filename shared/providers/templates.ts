/** Texts with `{names}` in them, as presets write them, and what comes of them when the values are put in. */

/** A value by its name; undefined if the connection has none. */
export type Values = Readonly<Record<string, string | number | undefined>>;

/** JSON in which every text is a template. */
export type Template = string | number | boolean | readonly Template[] | { readonly [member: string]: Template };

const placeholder = /\{([^{}]*)\}/g;

/** The names in a template, wherever in it they are. */
export function namesIn(template: Template | undefined): string[] {
  if (typeof template === 'string') return [...template.matchAll(placeholder)].map(([, name = '']) => name);
  return typeof template === 'object' ? Object.values(template).flatMap(namesIn) : [];
}

/** Returns the text with the values in it, each changed by `encode`; undefined if a value is missing. */
export function filled(
  template: string,
  values: Values,
  encode: (value: string) => string = (value) => value,
): string | undefined {
  if (namesIn(template).some((name) => values[name] === undefined)) return undefined;
  return template.replace(placeholder, (_, name: string) => encode(String(values[name])));
}

/** Returns the record with the values in it. A member is left out if a value that it needs is missing. */
export function filledRecord(templates: Readonly<Record<string, string>>, values: Values): Record<string, string> {
  const entries = Object.entries(templates).map(([name, template]) => [name, filled(template, values)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * The same for JSON. A text that is one name and nothing else becomes the value as it is, so that a number stays one.
 */
export function filledTree(template: Template, values: Values): unknown {
  if (typeof template === 'string')
    return /^\{[^{}]+\}$/.test(template) ? values[template.slice(1, -1)] : filled(template, values);
  if (typeof template !== 'object') return template;
  if (Array.isArray(template))
    return template.map((entry) => filledTree(entry, values)).filter((entry) => entry !== undefined);
  const entries = Object.entries(template).map(([name, inner]) => [name, filledTree(inner, values)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
