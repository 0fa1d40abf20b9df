import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { propertiesIn, templatesOf, unbundled } from './deployed.ts';

const { broker, read } = templatesOf(unbundled());
const { DashboardName, DashboardBody } = propertiesIn(broker)('AWS::CloudWatch::Dashboard', 'Dashboard');
const widgets: { properties: { title: string; metrics: unknown[][] } }[] = JSON.parse(read(DashboardBody)).widgets;
const curves = widgets.flatMap(({ properties }) => properties.metrics);
const isExpression = ([first]: unknown[]): boolean => typeof first === 'object';
const shown = curves.filter((curve) => !isExpression(curve));
/** Metrics that are looked up by provider, when the dashboard is looked at. */
const searched = curves.filter(isExpression).flatMap(([given]) => {
  const { expression } = given as { readonly expression: string };
  const [, namespace, name] = /^SEARCH\('\{(\w+),provider\} MetricName="(\w+)"'/.exec(expression) ?? [];
  return namespace === undefined ? [] : [[namespace, name]];
});

const sourceOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** The metrics that the functions can count, read from the port. */
const counted = [...sourceOf('shared/ports/telemetry.ts').matchAll(/\| '(\w+)'/g)].map(([, name = '']) => name);

test('there is one dashboard, called like stack and Region', () => {
  broker.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  expect(read(DashboardName)).toBe('token-broker-AWS::Region');
});

test('each graph has a title and a curve', () => {
  expect(widgets.length).toBeGreaterThan(4);
  for (const { properties } of widgets) expect([properties.title, properties.metrics.length]).not.toContain(0);
  expect(new Set(widgets.map(({ properties }) => properties.title)).size).toBe(widgets.length);
});

test('what it shows of the functions’ own metrics they do count, in the namespace of the deployment', () => {
  const ours = [...shown, ...searched].filter(([namespace]) => !String(namespace).startsWith('AWS/'));
  expect(searched.length).toBeGreaterThan(4);
  expect(ours.length).toBeGreaterThan(4);
  for (const [namespace, name] of ours) {
    expect(namespace).toBe('TokenBroker');
    expect(counted).toContain(name);
  }
});

test('what it shows of AWS is of this stack', () => {
  for (const [namespace, , , resource] of shown.filter(([first]) => String(first).startsWith('AWS/')))
    expect([namespace, read(resource)]).toEqual([
      namespace,
      expect.stringMatching(/^(TokenFunction|RefreshQueue\.QueueName)$/),
    ]);
});

test('each metric that the functions count is shown, rings, or is told in the manual', () => {
  const ringing = Object.values(broker.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties.MetricName,
  );
  const manual = sourceOf('docs/operations.md');
  const seen = [...[...shown, ...searched].map(([, name]) => name), ...ringing];
  expect(counted.length).toBeGreaterThan(8);
  expect(counted.filter((name) => !seen.includes(name) && !manual.includes(`\`${name}\``))).toEqual([]);
});
