import { expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';

test.each([
  ['nothing selects everything', [], ['check', 'unit', 'pg', 'api', 'e2e'], []],
  ['names select parts, in the order they run in', ['pg', 'unit'], ['unit', 'pg'], []],
  ['a repeated name counts once', ['pg', 'pg'], ['pg'], []],
  ['what follows the names goes to vitest', ['unit', 'operator/x', '-u'], ['unit'], ['operator/x', '-u']],
  ['a double dash may stand between', ['unit', '--', 'pg'], ['unit'], ['pg']],
  ['a filter alone leaves the checks out', ['operator/x'], ['unit', 'pg', 'api', 'e2e'], ['operator/x']],
  ['the checks can be asked for with a filter', ['check', 'unit', 'x'], ['check', 'unit'], ['x']],
])('%s', (_sentence, words, parts, vitest) => {
  expect(parseArguments(words)).toEqual({ parts, vitest });
});
