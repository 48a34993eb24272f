import type { Journey } from './journey.ts';

/** Names of the pods of a revision, the stopping ones left out. */
export async function podsOf({ kubectl, namespace }: Journey, revision: number): Promise<readonly string[]> {
  const selector = `pgrst.dev/instance=tasks,pgrst.dev/revision=${String(revision)}`;
  const { items } = JSON.parse(
    await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json']),
  ) as { items: readonly { metadata: { name: string; deletionTimestamp?: string } }[] };
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}
