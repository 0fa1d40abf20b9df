import { account, arnOf } from './account.ts';
import { type Assembly, type Resource, type Stack, TemplateError } from './assembly.ts';

/** What a resource is called here: the answers to `Ref` and `Fn::GetAtt`. */
export interface PhysicalId {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * What a reference to a resource that is not here resolves to. It matters only where it is used, and then it says why
 * it cannot be.
 */
export class NotHere {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Turns a template value of one stack into a plain one; `where` is named in errors. */
type Resolve = (stack: Stack, value: unknown, where: string) => unknown;

/**
 * Resolves CloudFormation's intrinsic functions across the stacks of an assembly. An intrinsic, a reference or an
 * attribute that is not known here is a `TemplateError`: a silently wrong value would surface much later.
 */
export function resolver(
  assembly: Assembly,
  physicalId: (stack: Stack, logicalId: string, resource: Resource) => PhysicalId | undefined,
): Resolve {
  const intrinsics: Readonly<Record<string, (stack: Stack, argument: unknown, where: string) => unknown>> = {
    Ref: (stack, name, where) => reference(stack, text(name, where), where),
    'Fn::GetAtt': (stack, argument, where) => {
      const [logicalId, ...attribute] =
        typeof argument === 'string' ? argument.split('.') : list(argument, where).map((part) => text(part, where));
      return attributeOf(stack, text(logicalId, where), attribute.join('.'), where);
    },
    'Fn::Join': (stack, argument, where) => {
      const [separator, parts] = list(argument, where);
      return list(resolve(stack, parts, where), where)
        .map((part) => text(part, where))
        .join(text(separator, where));
    },
    'Fn::Sub': (stack, argument, where) => {
      const [format, variables] = typeof argument === 'string' ? [argument, {}] : list(argument, where);
      const given = record(resolve(stack, variables, where), where);
      return text(format, where).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
        if (literal) return `\${${name}}`;
        const [logicalId = '', attribute] = name.split(/\.(.*)/s);
        return text(
          given[name] ?? (attribute ? attributeOf(stack, logicalId, attribute, where) : reference(stack, name, where)),
          where,
        );
      });
    },
    'Fn::ImportValue': (stack, argument, where) => {
      const wanted = resolve(stack, argument, where);
      for (const exporter of assembly.stacks) {
        for (const [id, output] of Object.entries(exporter.Outputs)) {
          const at = `${exporter.name}.Outputs.${id}`;
          if (output.Export && resolve(exporter, output.Export.Name, at) === wanted)
            return resolve(exporter, output.Value, at);
        }
      }
      throw new TemplateError(`${where}: no stack exports ${wanted}`);
    },
  };

  function reference(stack: Stack, name: string, where: string): unknown {
    const pseudo: Readonly<Record<string, string | undefined>> = {
      'AWS::Region': account.region,
      'AWS::AccountId': account.accountId,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack.name,
      'AWS::StackId': arnOf('cloudformation', `stack/${stack.name}/local`),
      'AWS::NoValue': undefined,
    };
    if (name in pseudo) return pseudo[name];
    const parameter = stack.Parameters[name];
    if (parameter) return parameter.Default;
    const id = physical(stack, name, where);
    return id instanceof NotHere ? id : id.ref;
  }

  function attributeOf(stack: Stack, logicalId: string, attribute: string, where: string): unknown {
    const id = physical(stack, logicalId, where);
    if (id instanceof NotHere) return id;
    const value = id.attributes[attribute];
    if (value === undefined)
      throw new TemplateError(`${where}: ${logicalId} has no attribute ${attribute} in the local broker`);
    return value;
  }

  function physical(stack: Stack, logicalId: string, where: string): PhysicalId | NotHere {
    const resource = stack.Resources[logicalId];
    if (!resource) throw new TemplateError(`${where}: ${stack.name} has no resource ${logicalId}`);
    return (
      physicalId(stack, logicalId, resource) ??
      new NotHere(`refers to ${logicalId}, ${resource.Type}, which the local broker does not have`)
    );
  }

  function resolve(stack: Stack, value: unknown, where: string): unknown {
    if (Array.isArray(value))
      return value
        .map((item, index) => resolve(stack, item, `${where}[${index}]`))
        .filter((item) => item !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      const intrinsic = intrinsics[only[0]];
      if (!intrinsic) throw new TemplateError(`${where}: unknown intrinsic ${only[0]}`);
      return intrinsic(stack, only[1], where);
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, resolve(stack, item, `${where}.${key}`)])
        .filter(([, item]) => item !== undefined),
    );
  }

  return resolve;
}

function text(value: unknown, where: string): string {
  if (value instanceof NotHere) throw new TemplateError(`${where}: ${value.reason}`);
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new TemplateError(`${where}: expected text, found ${JSON.stringify(value)}`);
  return String(value);
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw new TemplateError(`${where}: expected a list, found ${JSON.stringify(value)}`);
  return value;
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null)
    throw new TemplateError(`${where}: expected an object, found ${JSON.stringify(value)}`);
  return { ...value };
}
