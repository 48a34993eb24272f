import type { SchemaMapping } from '../migration/schemaNames.ts';
import type { TapVerdict } from '../migration/tapVerdict.ts';
import type { BareNames } from '../migration/testNames.ts';
import type { NameMapper } from './rewriteStoredText.ts';
import { runTests, type BuildTests } from './runTests.ts';
import type { Session } from './session.ts';

/**
 * Runs the tests of a build under the release's own name. A string that is the exposed name and nothing else may be the
 * schema (`has_view('api', ...)`) or data (`api.search('api')`), which nothing tells apart but the tests: they run with
 * such strings mapped, and where some fail once more with them kept. Each test has to pass in one of the two. Returns
 * the verdict of the first run when they do not; its lines are what failed there.
 */
export async function renamedTestFailure(
  session: Session,
  tests: BuildTests,
  mapping: SchemaMapping,
  mapper: NameMapper,
): Promise<TapVerdict | undefined> {
  const run = async (bare: BareNames): Promise<TapVerdict> => {
    const texts = await mapper.mapTestNames(
      tests.statements.map(({ text }) => text),
      mapping,
      bare,
    );
    const statements = tests.statements.map((statement, index) => ({
      ...statement,
      text: texts[index] ?? statement.text,
    }));
    return await runTests(session, { ...tests, statements });
  };
  const mapped = await run('mapped');
  if (mapped.failed === 0) return undefined;
  const kept = await run('kept');
  if (kept.failed === 0) return undefined;
  const first = failedTests(mapped);
  const second = failedTests(kept);
  const isOneOrTheOther = first?.every((number) => second?.includes(number) === false) ?? false;
  return isOneOrTheOther ? undefined : mapped;
}

/**
 * The numbers of the tests that failed. Undefined when something else did (the plan, an error), or not all are told: then
 * not every test ran, or may have failed.
 */
function failedTests({ failed, lines }: TapVerdict): readonly string[] | undefined {
  const numbers = lines.flatMap((line) => /^not ok (\d+)/.exec(line)?.[1] ?? []);
  return numbers.length === failed ? numbers : undefined;
}
