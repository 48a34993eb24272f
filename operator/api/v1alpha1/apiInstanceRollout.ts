import { z } from 'zod';
import { otherService } from './apiInstanceExpose.ts';
import { keyedList, matching, rule } from './rule.ts';
import { duration } from './shared.ts';

/** One step of a rollout. */
export const step = rule(
  z.object({
    weight: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'Percent of the traffic that the candidate gets from this step on. Exactly one of weight and pause.',
      ),
    pause: z
      .object({
        duration: duration
          .optional()
          .describe(
            'How long to wait, such as 30s, counted from when the weight before it was proved. Absent: until somebody promotes.',
          ),
      })
      .optional()
      .describe('Hold the weight. Exactly one of weight and pause.'),
  }),
  {
    cel: 'has(self.weight) != has(self.pause)',
    js: (value) => (value.weight === undefined) !== (value.pause === undefined),
    message: 'a step is either a weight or a pause: set exactly one of the two',
  },
);
/** One step of a rollout. */
export type Step = z.infer<typeof step>;

const percentage = matching(
  z.string().min(2).max(6),
  /^(100|[0-9]{1,2}([.][0-9]{1,2})?)%$/,
  'a share is written in percent, such as 5% or 0.5%',
);

const probe = z.object({
  path: matching(
    z.string().min(1).max(512),
    /^[/][-_~.A-Za-z0-9/?=&%,:()*!]*$/,
    "a probe's path begins with '/', such as /tasks?limit=1",
  ).describe('What to GET, below `expose.path`; a query is allowed.'),
  status: z.int().min(100).max(599).default(200).describe('The status that the answer must have.'),
  maxLatency: duration.optional().describe('How long the answer may take. Absent: 5s.'),
});

const query = rule(
  z.object({
    name: matching(
      z.string().min(1).max(63),
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
      "a query's name has lower case letters, digits and '-'",
    ).describe('Name of the check, for conditions and metrics.'),
    query: z
      .string()
      .min(1)
      .max(4096)
      .describe(
        'PromQL that gives one number. {{namespace}}, {{instance}}, {{revision}} and {{stable}} are replaced by those of the rollout.',
      ),
    min: z.number().optional().describe('The number must not be below this. At least one of min and max.'),
    max: z.number().optional().describe('The number must not be above this. At least one of min and max.'),
  }),
  {
    cel: 'has(self.min) || has(self.max)',
    js: ({ min, max }) => min !== undefined || max !== undefined,
    message: 'a query needs a bound: set min, max or both',
  },
);

const analysis = z
  .object({
    maxErrorRate: percentage
      .optional()
      .describe("Share of the candidate's answers that may be 5xx, such as 5%. Absent: not judged."),
    maxP95: duration
      .optional()
      .describe("95th percentile that the candidate's answers may take, such as 500ms. Absent: not judged."),
    minRequests: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe(
        'Requests of the candidate that it takes to judge; with fewer the rollout waits at the end of a pause.',
      ),
    window: duration.default('1m').describe('The newest so much of the requests is judged.'),
    probes: z
      .array(probe)
      .max(16)
      .default([])
      .describe(
        'Requests that every pod of the candidate must answer, at its own address, before it gets traffic.',
      )
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    prometheus: z
      .object({
        address: matching(
          z.string().min(1).max(512),
          /^https?:[/][/][-_~.A-Za-z0-9:/]+$/,
          'address is the URL of a Prometheus, such as http://prometheus.monitoring:9090',
        ).describe('URL of a Prometheus, or of anything with its query API.'),
        queries: keyedList(z.array(query).min(1).max(16).describe('What to ask, every ten seconds.'), 'name'),
      })
      .optional()
      .describe('Judge by numbers from a Prometheus too.'),
  })
  .describe(
    "When a rollout is sent back. The gates' own counters need no other software; a check that fails sends the traffic back first and is explained after.",
  );
/** `spec.rollout.analysis`. */
export type AnalysisSpec = z.infer<typeof analysis>;

/** How a change reaches the clients. */
export const rollout = z
  .object({
    from: z
      .object({ service: otherService })
      .optional()
      .describe(
        'The first rollout leads away from this Service, which has the traffic until the first promotion. Of no effect after that.',
      ),
    steps: z
      .array(step)
      .max(20)
      .default([])
      .describe('What happens between the proof of the candidate and its promotion. Empty: straight to 100.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    analysis: analysis.optional(),
    breaking: z
      .enum(['Allow', 'Hold'])
      .default('Allow')
      .describe(
        'Hold: compare what the OpenAPI documents of stable and candidate say to a client without a token, and where something is taken away or changed wait for pgrst.dev/action=approve before the candidate gets traffic.',
      ),
    capacity: z
      .enum(['Full', 'ByWeight'])
      .default('Full')
      .describe(
        'Pods of a candidate before it is promoted. Full: all of spec.replicas from the start. ByWeight: its share of them, at least one, and all before it gets 100 %.',
      ),
    progressDeadline: duration
      .default('10m')
      .describe(
        'A rollout that gets no further for so long, pauses aside, is sent back to stable; a first one has nowhere to go and is Degraded.',
      ),
    warmFor: duration
      .default('15m')
      .describe('How long the old revision keeps its pods after a promotion, for a rollback at once.'),
    revisionHistoryLimit: z
      .int()
      .min(1)
      .max(50)
      .default(5)
      .describe('How many old revisions are kept to roll back to.'),
  })
  .prefault({})
  .describe('How a change reaches the clients.');
