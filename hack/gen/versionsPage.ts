import { postgrestBehaviours, type PostgrestBehaviour } from '../../operator/resources/postgrestVersions.ts';
import { table } from './markdown.ts';

const questions: readonly [string, (row: PostgrestBehaviour) => string][] = [
  [
    'PostgREST says that it is ready',
    ({ ready }) =>
      ready === 'present'
        ? 'while it has a schema cache, fresh or not'
        : 'while the last load of the schema cache has succeeded',
  ],
  [
    'Requests on their way, when it is told to stop',
    ({ shutdown }) => (shutdown === 'cut' ? 'are cut' : 'are answered'),
  ],
  [
    'A reload that fails',
    ({ failedReload }) =>
      failedReload === 'clears' ? 'loses the schema cache: 503 until one succeeds' : 'keeps the old one',
  ],
  [
    'A load that failed is tried again',
    ({ failedLoadRetry }) =>
      failedLoadRetry === 'at once' ? 'at once, and at once again' : 'after 1 s, and up to 32 s',
  ],
  ["The API's port is open", ({ apiSocket }) => apiSocket],
  ['Metrics of its own', ({ metrics }) => (metrics ? 'yes' : 'no')],
  [
    'Which configuration is loaded shows in',
    ({ settingsMark }) =>
      settingsMark === 'profile' ? 'the schemas that it exposes' : 'the trace header that it repeats',
  ],
  [
    'A lost listener comes back',
    ({ listenerRetry }) =>
      listenerRetry === 'withPool' ? 'with the pool, up to 32 s later' : 'by itself, up to 32 s later',
  ],
  [
    'A clock that refuses valid tokens at times',
    ({ tokenClockMendedIn }) =>
      tokenClockMendedIn === undefined ? 'none known' : `mended in ${tokenClockMendedIn}`,
  ],
];

/** The page of PostgREST's versions in docs/reference. */
export function versionsPage(): string {
  return [
    '# Versions of PostgREST',
    'What the operator knows of the differences between PostgREST 12 and 16. It looks at the version that runs, which PostgREST tells with each answer, and not at the name of the image. A newer version is taken to behave as the newest one here; one older than 12 is not supported.',
    table(
      ['', ...postgrestBehaviours.map(({ from }) => `from ${shown(from)}`)],
      questions.map(([question, answer]) => [question, ...postgrestBehaviours.map(answer)]),
    ),
    'The gate, which is in front of PostgREST in every pod, makes up for most of it: it drains a pod before PostgREST stops, holds requests while PostgREST restarts, and tells readiness by the schema cache itself.',
    'The column 12.0 is tested against 12.0.2 on every run of the tests (how it stops, a reload that fails, its port, metrics, which configuration is loaded). The others are read from the sources and change logs of 12.2.12, 13.0.8, 14.17 and 16.2; the same tests run against 12.2.12, 13.0.8, 14.18 and 16.4 in hosted CI alone, where there are images of them.',
  ].join('\n\n');
}

/** 12.0.0 as 12.0, and since 14 there are two numbers anyway. */
function shown(version: string): string {
  return version.replace(/\.0$/, '');
}
