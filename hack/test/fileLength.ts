import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../lib/exec.ts';

const limit = 400;

/** Files that may be longer, each with its reason. */
const exceptions: Record<string, string> = {
  LICENSE: 'the text of Apache 2.0',
  'package-lock.json': 'written by npm',
};

/** Written by a program, not by a person: CRDs, goldens, checksums, the reference. */
const generated = /(^|\/)(go\.sum|__golden__\/.*)$|^crds\/|^charts\/.*\/files\/|^docs\/reference\//;

/** Whether a person maintains this text, so that its length counts. */
export function counts(path: string): boolean {
  return !generated.test(path) && !(path in exceptions) && !/\.(svg|png|gif|cast)$/.test(path);
}

/** The files of the repository (what git knows or would add) that are longer than 400 lines, one message each. */
export async function tooLongFiles(root: string): Promise<string[]> {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  const paths = listed.split('\0').filter((path) => path !== '' && counts(path));
  const measured = await Promise.all(
    paths.map(async (path) => {
      // A file that git still lists may be deleted in the work tree.
      const text = await readFile(join(root, path), 'utf8').catch(() => '');
      return { path, lines: text.split('\n').length - 1 };
    }),
  );
  return measured
    .filter(({ lines }) => lines > limit)
    .map(
      ({ path, lines }) =>
        `${path} has ${lines} lines; ${limit} is the limit (exceptions: hack/test/fileLength.ts)`,
    );
}
