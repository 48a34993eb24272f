// Which folder may import which: the arrows of docs/architecture.md as a check. Every folder of operator/ is a row of
// this table; what a row does not name is forbidden. `types` may be imported with `import type` only, so nothing of it
// is there at run time.

/** @type {Record<string, { may?: string[], types?: string[], npm?: string[], npmTypes?: string[], core?: string[] }>} */
const folders = {
  api: { npm: ['zod'] },
  // Pure: no I/O, no clock, no database. Hashing is a function like any other.
  rollout: { may: ['api'], types: ['runtime/object'], core: ['crypto'] },
  migration: { may: ['api'], types: ['runtime/object'], npm: ['libpg-query'], core: ['crypto'] },
  resources: { may: ['api'], types: ['runtime/object'], core: ['crypto'] },
  // Knows Kubernetes, but neither of our kinds.
  runtime: { npm: ['@kubernetes/client-node', 'undici'], npmTypes: ['pino', 'prom-client'], core: ['*'] },
  observability: { types: ['runtime'], npm: ['pino', 'prom-client'], core: ['*'] },
  traffic: { may: ['resources', 'api'], types: ['runtime', 'rollout'] },
  proof: {
    may: ['rollout', 'resources', 'traffic', 'runtime', 'api'],
    npm: ['undici'],
    npmTypes: ['pino'],
    core: ['*'],
  },
  console: { may: ['resources', 'runtime', 'api'], npm: ['pg'] },
  database: { may: ['api'], types: ['migration', 'runtime'], npm: ['pg'], npmTypes: ['pino'], core: ['*'] },
  // Our rules are pure; squawk is a program beside them.
  lint: { may: ['migration', 'api'], npm: ['squawk-cli'], core: ['child_process', 'fs', 'module', 'path'] },
  // A program of its own: operator/cli/main.ts puts it together.
  cli: { may: ['lint', 'migration', 'api'], npm: ['yaml', 'zod'], core: ['*'] },
  // Runs pure functions over SQL on a thread of its own.
  analysis: { may: ['migration', 'lint', 'api'], core: ['worker_threads', 'timers/promises'] },
  controllers: {
    may: [
      'rollout',
      'migration',
      'lint',
      'analysis',
      'resources',
      'proof',
      'traffic',
      'database',
      'console',
      'runtime',
      'api',
    ],
    npmTypes: ['pino'],
    core: ['crypto'],
  },
};

const composition = [
  'analysis',
  'controllers',
  'runtime',
  'database',
  'traffic',
  'proof',
  'observability',
  'config',
];

const escaped = (name) => name.replace(/[/.@-]/g, '\\$&');
const inOperator = (names) => names.map((name) => `^operator/${escaped(name)}(/|\\.ts$)`);
const inNpm = (names) => names.map((name) => `^node_modules/(@types/)?${escaped(name)}(/|$)`);

const tests = '\\.test\\.ts$|^operator/testing/';

const sentence = (name, row) => {
  const list = (names) => names.join(', ') || 'nothing';
  return `operator/${name} may import ${list([...(row.may ?? []), ...(row.npm ?? [])])}; with import type ${list(row.types ?? [])} and types of ${list(typePackages(row))}.`;
};
// The types of Kubernetes' own kinds mean no more than JSON: everybody may know them.
const typePackages = ({ npm = [], npmTypes = [] }) =>
  ['@kubernetes/client-node', ...npmTypes].filter((name) => !npm.includes(name));

const arrows = Object.entries(folders).flatMap(([name, row]) => {
  const { may = [], types = [], npm = [], core = [] } = row;
  const from = { path: `^operator/${name}/`, pathNot: tests };
  const typesOnly = [...inOperator(types), ...inNpm(typePackages(row))];
  const rules = [
    {
      name: `${name}-imports`,
      comment: sentence(name, row),
      severity: 'error',
      from,
      to: {
        path: '^(operator|hack|test-e2e|bench|node_modules)/',
        pathNot: [...inOperator([name, ...may]), ...inNpm(npm), ...typesOnly],
      },
    },
  ];
  if (typesOnly.length > 0)
    rules.push({
      name: `${name}-imports-types-only`,
      comment: sentence(name, row),
      severity: 'error',
      from,
      to: { path: typesOnly, dependencyTypesNot: ['type-only'] },
    });
  if (!core.includes('*'))
    rules.push({
      name: `${name}-does-no-io`,
      comment: `operator/${name} may import ${core.map((module) => `node:${module}`).join(', ') || 'no module'} of Node.`,
      severity: 'error',
      from,
      to: { dependencyTypes: ['core'], pathNot: core.map((module) => `^(node:)?${module}$`) },
    });
  return rules;
});

export default {
  forbidden: [
    ...arrows,
    {
      name: 'every-folder-has-a-row',
      comment:
        'A new folder of operator/ needs a row in the table of .dependency-cruiser.js before anything is in it.',
      severity: 'error',
      from: {
        path: '^operator/[^/]+/',
        pathNot: [...inOperator(Object.keys(folders)), '^operator/testing/'],
      },
      to: {},
    },
    {
      name: 'main-composes',
      comment: `operator/main.ts and config.ts put things together: ${composition.join(', ')}.`,
      severity: 'error',
      from: { path: '^operator/[^/]+\\.ts$', pathNot: tests },
      to: { path: '^(operator|hack|test-e2e|bench)/', pathNot: inOperator(composition) },
    },
    {
      name: 'operator-never-imports-tooling',
      comment: 'operator/ is what we ship; hack/, bench/ and test-e2e/ stand around it.',
      severity: 'error',
      from: { path: '^operator/' },
      to: { path: '^(hack|bench|test-e2e)/' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'operator/testing is for *.test.ts and other testing files.',
      severity: 'error',
      from: { pathNot: [tests, '^(test-e2e|hack/test|bench/(kill|scale|size))/'] },
      to: { path: '^operator/testing/' },
    },
    {
      name: 'nobody-imports-a-test',
      comment: 'What two tests share belongs into operator/testing.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'e2e-is-black-box',
      comment:
        'Journeys see what a user sees: the Kubernetes API and HTTP. They may know the types of our API. The suite over real routers is no journey: it drives the routers themselves.',
      severity: 'error',
      from: {
        path: '^test-e2e/',
        pathNot: '^test-e2e/(routers[.]e2e[.]test|support/(asking|backends))[.]ts$',
      },
      to: { path: '^operator/', pathNot: '^operator/api/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-the-operator',
      comment: 'The image holds the production dependencies only.',
      severity: 'error',
      from: { path: '^operator/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
