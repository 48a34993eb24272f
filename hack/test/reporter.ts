// The part of `npm test` inside vitest: writes the counts of a run to the file that PGRST_TEST_COUNTS names, and takes
// servers down when the run is interrupted. Vitest's own JSON report loses why a test was skipped and the errors that
// belong to no test.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Counts, Finding } from './result.ts';

const message = (errors: readonly { message: string }[]): string => errors[0]?.message ?? 'no message';

function failures(module: TestModule, path: string): Finding[] {
  const tests = [...module.children.allTests('failed')].map((test) => ({
    name: `${path} > ${test.fullName}`,
    message: message(test.result().errors ?? []),
  }));
  const suites = [...module.children.allSuites()].flatMap((suite) =>
    suite.errors().map((error) => ({ name: `${path} > ${suite.fullName}`, message: error.message })),
  );
  const broken = module.errors().map((error) => ({ name: path, message: error.message }));
  const unfinished = [...module.children.allTests('pending')].map((test) => ({
    name: `${path} > ${test.fullName}`,
    message: 'did not end',
  }));
  return [...broken, ...suites, ...tests, ...unfinished];
}

function skip(test: TestCase, path: string): Finding {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return { name: `${path} > ${test.fullName}`, message: note ?? '' };
}

function write(modules: readonly TestModule[], unhandledErrors: readonly { message: string }[]): void {
  const counts = {
    passed: modules.reduce((sum, module) => sum + [...module.children.allTests('passed')].length, 0),
    failures: [
      ...modules.flatMap((module) => failures(module, relative('.', module.moduleId))),
      ...unhandledErrors.map((error) => ({ name: 'outside of any test', message: error.message })),
    ],
    skips: modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => skip(test, relative('.', module.moduleId))),
    ),
  } satisfies Counts;
  const file = process.env.PGRST_TEST_COUNTS;
  if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
}

/** The reporter that hack/test/vitest.ts gives to vitest. */
export default function countingReporter(): Reporter {
  return {
    onInit(vitest) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        // Vitest's own listener exits at once, without the teardown of global setups: servers would stay behind. A
        // second signal finds no listener and ends the process.
        process.removeAllListeners(signal);
        process.once(signal, () => {
          // Now, because a test that blocks its process lets vitest wait for ever: this is what names it.
          write(vitest.state.getTestModules(), []);
          void vitest.cancelCurrentRun('keyboard-input').then(() => vitest.exit(true));
        });
      }
    },
    onTestRunEnd: write,
  };
}
