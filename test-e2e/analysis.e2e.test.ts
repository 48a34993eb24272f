import { expect, test } from 'vitest';
import { countByRevision, failed, within, type Sample } from '../hack/load/sample.ts';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney } from './support/journey.ts';
import type { WrittenSchema } from './support/manifests.ts';

const analysis = { maxErrorRate: '5%', maxP95: '4s', minRequests: 20, window: '30s' };
const steps = [{ weight: 10 }, { pause: { duration: '2s' } }, { weight: 50 }];

/** Version 2 with a view that builds, and that answers 500 for every open task: a quarter of the load asks for it. */
function withBrokenView(spec: WrittenSchema): WrittenSchema {
  const sql = (spec.api?.sql ?? '')
    .replace('create view api.open_tasks', (view) => `${failingFunction}\n\n${view}`)
    .replace('where not done;', 'where not done and api.fails();');
  return {
    ...spec,
    api: { sql: `${sql}\nrevoke execute on function api.fails from public;\n${grant}` },
  };
}

// PostgREST answers with the status that PTnnn names.
const failingFunction = `create function api.fails() returns boolean
  language plpgsql
  set search_path = api
  as $$ begin raise sqlstate 'PT500' using message = 'the new view is broken'; end $$;`;
const grant = 'grant execute on function api.fails to web_anon;';

const isOwnError = ({ revision, status, request }: Sample): boolean =>
  revision === '2' && status === 500 && request === 'GET /open_tasks';

test('errors of a candidate send the traffic back by themselves, and too few requests wait for a person', () =>
  runJourney(
    'analysis',
    async (journey) => {
      const { instance, samples } = journey;
      journey.excuse(isOwnError);
      await journey.applySchema('v2', withBrokenView);
      const left = await instance.until('the candidate is left', (object) =>
        notReady(object, 'AnalysisFailed'),
      );
      const told = Date.now();
      const said = /error rate [0-9.]+ % is over 5 % \([0-9]+ of [0-9,]+ requests in 30s\)/;
      expect(condition(left, 'Ready')?.message).toMatch(said);
      expect(condition(left, 'Ready')?.message).toContain('revision 1 serves');
      expect(condition(left, 'Available')?.status).toBe('True');
      expect(condition(left, 'Degraded')).toMatchObject({ status: 'True', reason: 'AnalysisFailed' });
      expect(left.status?.rejected?.[0]).toMatchObject({ revision: 2, to: 1, reason: 'AnalysisFailed' });
      expect(left.status?.rejected?.[0]?.message).toMatch(said);
      expect(left.status?.history?.[0]).toMatchObject({ revision: 2, from: 1, outcome: 'Aborted' });
      // First the traffic, then the explanation.
      expect(await journey.answering(200)).toEqual(['1']);
      expect(within(samples, told).filter(failed)).toEqual([]);
      const errors = samples.filter(isOwnError).length;
      const byCandidate = countByRevision(samples)['2'] ?? 0;
      expect(errors, `of ${String(byCandidate)} answers of revision 2`).toBeGreaterThanOrEqual(5);
      console.info(`revision 2 gave ${String(byCandidate)} answers, ${String(errors)} of them 500`);

      // Asking for more requests than there are is no other revision: the broken one stays where it is.
      await journey.applyInstance((spec) => ({
        ...spec,
        rollout: { ...spec.rollout, analysis: { ...analysis, minRequests: 1_000_000 } },
      }));
      await journey.applySchema('v2');
      const waiting = await instance.until('too few requests for revision 3', (object) => {
        return condition(object, 'Progressing')?.reason === 'TooFewRequests';
      });
      expect(waiting.status).toMatchObject({
        candidate: { revision: 3 },
        traffic: { revision: 3, provedWeight: 10 },
        analysis: { revision: 3, weight: 10, verdict: 'TooFewRequests' },
      });
      expect(waiting.status?.analysis?.message).toContain('of at least 1,000,000 requests in 30s');

      await journey.action('promote');
      await instance.until('half of the traffic waits for a judgement, too', (object) => {
        const { traffic } = object.status ?? {};
        return traffic?.provedWeight === 50 && condition(object, 'Progressing')?.reason === 'TooFewRequests';
      });
      await journey.action('promote-full');
      const after = await instance.until('revision 3 is stable and Ready', (object) => {
        return object.status?.stable?.revision === 3 && ready(object);
      });
      expect(after.status?.history?.[0]).toMatchObject({ revision: 3, from: 1, outcome: 'FastPromoted' });
      expect(await journey.answering(100)).toEqual(['3']);
    },
    (spec) => ({ ...spec, rollout: { steps, analysis } }),
  ));
