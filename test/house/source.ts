/** Source text, parsed as far as the rules of the house ask: imports, exports, functions and comments. */
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

const root = join(import.meta.dirname, '..', '..');

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
}

interface Import {
  /** A path from the root of the project, or the name of a package as it is written. */
  readonly from: string;
  /** `*` stands for everything that the file exports. */
  readonly names: readonly string[];
}

/** A part of a file, by its first line. */
interface Span {
  readonly text: string;
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** What each interface lets its users call: `Announcer.announce`. */
  readonly methods: readonly string[];
  /** Every text, and every part of one between its placeholders. */
  readonly texts: readonly string[];
  /** Classes too. A method is a function of its own. */
  readonly functions: readonly { readonly name: string; readonly lines: number; readonly isClass: boolean }[];
  readonly comments: readonly Span[];
}

/** All code of these folders, in no particular order. */
export const sourcesIn = (pattern: string): readonly Source[] =>
  globSync(pattern, { cwd: root, exclude: ['**/fixtures/assembly/**', '**/node_modules/**'] }).map((path) =>
    sourceOf(path, readFileSync(join(root, path), 'utf8')),
  );

export function sourceOf(path: string, text: string): Source {
  const nodes = [...nodesIn(parseAst(text, { lang: 'ts', astType: 'ts' }, path))];
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  return {
    path,
    lines: text.split('\n'),
    imports: nodes.flatMap(({ node }) => importsOf(node, path)),
    exports: nodes.flatMap(({ node }) => exportsOf(node)),
    methods: nodes.flatMap(({ node }) => methodsOf(node)),
    texts: nodes.flatMap(({ node }) => textOf(node)),
    functions: nodes.flatMap(({ node, parent }) =>
      /^(?:Function|ArrowFunction|Class)(?:Declaration|Expression)$/.test(node.type)
        ? [
            {
              name: nameOf(node) ?? nameOf(parent) ?? '',
              lines: lineOf(node.end) - lineOf(node.start) + 1,
              isClass: node.type.startsWith('Class'),
            },
          ]
        : [],
    ),
    comments: commentsOf(
      text,
      nodes.map(({ node }) => node),
    ).map(({ text: comment, start }) => ({ text: comment, line: lineOf(start) })),
  };
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

function* nodesIn(value: unknown, parent?: Node): Generator<{ readonly node: Node; readonly parent?: Node }> {
  if (Array.isArray(value)) for (const element of value) yield* nodesIn(element, parent);
  if (!isNode(value)) return;
  yield { node: value, ...(parent && { parent }) };
  for (const member of Object.values(value)) if (typeof member === 'object') yield* nodesIn(member, value);
}

/** The name of a declaration, a variable, a property or a method. */
const nameOf = (node: Node | undefined): string | undefined =>
  ((node?.id ?? node?.key) as { name?: string } | undefined)?.name;

/** The names that are imported from another file, whether they are types or values. */
function importsOf(node: Node, path: string): Import[] {
  const { value: from } = (node.source ?? {}) as { value?: string };
  if (from === undefined) return [];
  const specifiers = (node.specifiers ?? []) as readonly Node[];
  const names = specifiers.map(({ type, imported, local }) => {
    if (type === 'ImportNamespaceSpecifier') return '*';
    if (type === 'ImportDefaultSpecifier') return 'default';
    return ((imported ?? local) as { name: string }).name;
  });
  const everything = ['ExportAllDeclaration', 'ImportExpression', 'TSImportType'].includes(node.type);
  return [{ from: resolved(from, path), names: everything ? ['*'] : names }];
}

const resolved = (from: string, path: string): string =>
  from.startsWith('.') ? posix.join(posix.dirname(path), from) : from;

function exportsOf(node: Node): string[] {
  if (node.type === 'ExportDefaultDeclaration') return ['default'];
  if (node.type !== 'ExportNamedDeclaration') return [];
  const { declaration } = node as { declaration?: Node };
  const declared = (declaration?.declarations ?? [declaration]) as readonly (Node | undefined)[];
  const specified = (node.specifiers as readonly Node[]).map(({ exported }) => (exported as { name: string }).name);
  return [...declared.flatMap((each) => nameOf(each ?? undefined) ?? []), ...specified];
}

function textOf({ type, value }: Node): string[] {
  if (type === 'Literal') return typeof value === 'string' ? [value] : [];
  return type === 'TemplateElement' ? [(value as { readonly cooked: string }).cooked] : [];
}

function methodsOf(node: Node): string[] {
  if (node.type !== 'TSInterfaceDeclaration') return [];
  const { body: members } = node.body as { readonly body: readonly Node[] };
  const isFunction = ({ typeAnnotation }: Node) =>
    (typeAnnotation as { typeAnnotation?: Node } | undefined)?.typeAnnotation?.type === 'TSFunctionType';
  return members
    .filter((member) => member.type === 'TSMethodSignature' || isFunction(member))
    .map((member) => `${nameOf(node)}.${nameOf(member)}`);
}

/** The parser leaves comments out. Inside a string, a template or a regular expression there is no comment. */
function commentsOf(text: string, nodes: readonly Node[]): { readonly text: string; readonly start: number }[] {
  const bare = text.split('');
  for (const { type, start, end } of nodes) if (/^(?:Literal|TemplateElement)$/.test(type)) bare.fill(' ', start, end);
  return [...bare.join('').matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)].map(({ 0: comment, index }) => ({
    text: comment,
    start: index,
  }));
}
