import type { ReasonDoc } from './reasonDoc.ts';
import type { Reason } from './reasons.ts';

/** The reasons of an ApiInstance, explained. */
export const instanceReasonDocs = {
  SchemaNotFound: {
    kind: 'ApiInstance',
    means: 'There is no ApiSchema of the name in spec.schemaRef.name in the namespace.',
    action: 'Create the ApiSchema, or correct spec.schemaRef.name.',
  },
  SchemaNotReady: {
    kind: 'ApiInstance',
    means: 'The ApiSchema has not published a release yet.',
    action: 'See why in the conditions of the ApiSchema.',
  },
  ReleaseNotFound: {
    kind: 'ApiInstance',
    means: 'The ApiSchema has no release of the id in spec.schemaRef.release.',
    action: 'Correct spec.schemaRef.release, or remove it to follow the newest.',
  },
  NameConflict: {
    kind: 'ApiInstance',
    means:
      'An object that the instance needs exists already and belongs to somebody else; it is not touched.',
    action: 'Remove that object, or give the ApiInstance another name.',
  },
  PoolerNotReady: {
    kind: 'ApiInstance',
    means: 'No PgBouncer pod is ready, so PostgREST is not started.',
    action: 'See why in the pods of the pooler.',
  },
  PoolerUnsupported: {
    kind: 'ApiInstance',
    means: 'PgBouncer is older than 1.24; nothing is rolled out.',
    action: 'Use an image with a newer one in spec.pooler.image.',
  },
  PoolerUnreachable: {
    kind: 'ApiInstance',
    means:
      'The operator cannot ask a PgBouncer pod over its console, so its limits and its configuration are not known.',
    action: 'Make port 6432 of the pods reachable for the operator, and see what their log says.',
  },
  PoolerOutdated: {
    kind: 'ApiInstance',
    means: 'All PgBouncer pods are as the spec says, and their version has known vulnerabilities.',
    action: 'Use an image with PgBouncer 1.26.1 or newer in spec.pooler.image.',
  },
  PoolerChanging: {
    kind: 'ApiInstance',
    means: 'PgBouncer pods are coming or going, or have not read the newest configuration yet.',
    action: null,
  },
  PoolerSettled: {
    kind: 'ApiInstance',
    means: 'All PgBouncer pods were seen to have the newest limits and configuration.',
    action: null,
  },
  ScalingUp: { kind: 'ApiInstance', means: 'Pods of the revision are starting.', action: null },
  ProvingPods: {
    kind: 'ApiInstance',
    means: 'Pods are ready, and it is being proved that each has loaded its release.',
    action: null,
  },
  Reloading: {
    kind: 'ApiInstance',
    means: 'Pods are being told, one after the other, to load their settings and their release anew.',
    action: null,
  },
  ProvingTraffic: {
    kind: 'ApiInstance',
    means: 'It is being proved by responses through the ingress that traffic goes where it should.',
    action: null,
  },
  IngressUnreachable: {
    kind: 'ApiInstance',
    means:
      'The operator gets no responses through the ingress, so it cannot prove where traffic goes; where no pod can be asked at all, each change is taken for done after 30 s.',
    action: 'Make the ingress controller reachable for the operator.',
  },
  StepPaused: {
    kind: 'ApiInstance',
    means: 'The rollout holds its weight, for a time or until somebody promotes.',
    action: 'When the pause has no duration: promote or abort.',
  },
  ShiftingTraffic: { kind: 'ApiInstance', means: 'Traffic is moving to another revision.', action: null },
  Promoting: {
    kind: 'ApiInstance',
    means: 'The candidate has all traffic of the ingress, and the stable Service is moving to it.',
    action: null,
  },
  RolloutComplete: { kind: 'ApiInstance', means: 'The revision of the spec has all traffic.', action: null },
  RolledBack: {
    kind: 'ApiInstance',
    means: 'The revision of the spec was rolled back: an older one serves until the spec changes.',
    action: 'Change the spec, or retry.',
  },
  Aborted: {
    kind: 'ApiInstance',
    means:
      'The rollout of the revision of the spec was aborted: the one before serves until the spec changes.',
    action: 'Change the spec, or retry.',
  },
  Superseded: {
    kind: 'ApiInstance',
    means: 'A rollout was left for a newer spec before it had been promoted.',
    action: null,
  },
  Proved: {
    kind: 'ApiInstance',
    means: 'It was seen in the data plane, not only written into an object.',
    action: null,
  },
  NoReadyPods: {
    kind: 'ApiInstance',
    means: 'No pod of the revision that has the traffic is ready: clients are not served.',
    action: 'See why in the pods of the revision that the message names.',
  },
  ServingClients: { kind: 'ApiInstance', means: 'Clients are served.', action: null },
  RollbackPossible: {
    kind: 'ApiInstance',
    means: 'There are revisions to roll back to; the message names them.',
    action: null,
  },
  NothingToRollBackTo: {
    kind: 'ApiInstance',
    means: 'No older revision is kept whose release is there.',
    action: null,
  },
  FastPromoted: {
    kind: 'ApiInstance',
    means: 'A revision was promoted by promote-full: the remaining steps and checks were skipped.',
    action: null,
  },
  FastRolledBack: {
    kind: 'ApiInstance',
    means: 'Traffic went back to a revision whose pods were still warm.',
    action: null,
  },
  ManuallyPaused: {
    kind: 'ApiInstance',
    means: 'Somebody has paused the rollout: it stays where it is, whatever the steps say.',
    action: 'Set pgrst.dev/action=resume to go on, or abort.',
  },
  Analysing: {
    kind: 'ApiInstance',
    means: 'The candidate is being judged at its weight; nothing speaks against it so far.',
    action: null,
  },
  AnalysisFailed: {
    kind: 'ApiInstance',
    means: 'A check of the analysis or a probe failed: the traffic was sent back to stable.',
    action:
      'Find out why the candidate failed the check that the message names, and change the spec or retry.',
  },
  AnalysisInconclusive: {
    kind: 'ApiInstance',
    means: 'A source of numbers cannot be read, so that the candidate cannot be judged; the rollout waits.',
    action: 'Mend the source that the message names, or promote to go on without it.',
  },
  TooFewRequests: {
    kind: 'ApiInstance',
    means:
      'Nothing speaks against the candidate, but it had too few requests to be judged; the rollout waits.',
    action: 'Send it requests, lower analysis.minRequests, or promote to go on.',
  },
  ProgressDeadlineExceeded: {
    kind: 'ApiInstance',
    means: 'The rollout got no further within its progressDeadline and was sent back to stable.',
    action: 'Mend what the message names, then change the spec or retry.',
  },
  ComparingContracts: {
    kind: 'ApiInstance',
    means: 'The OpenAPI documents of stable and candidate are being compared.',
    action: null,
  },
  ContractUnknown: {
    kind: 'ApiInstance',
    means:
      'The OpenAPI documents of stable and candidate cannot be compared, so the rollout waits for an approval.',
    action: 'Let a client without a token read /, or set pgrst.dev/action=approve.',
  },
  RouterUnavailable: {
    kind: 'ApiInstance',
    means:
      'The operator was not told of the router that the spec asks for, or the cluster does not have its API.',
    action:
      'Install the Gateway API and give the operator the Service of the Gateway, or use another router.',
  },
  CredentialsChanged: {
    kind: 'ApiInstance',
    means:
      'A Secret that pods take their credentials from has another value, so the pods are replaced one after the other.',
    action: null,
  },
  BudgetFits: {
    kind: 'ApiInstance',
    means: 'All connections of a cutover fit into what the database has free.',
    action: null,
  },
  BudgetExceeded: {
    kind: 'ApiInstance',
    means:
      'A cutover would open more connections than the database has free, so no new rollout begins; what serves goes on.',
    action: 'Lower replicas, db-pool or the cap of the pooler, or raise the limit that the message names.',
  },
  BudgetUnknown: {
    kind: 'ApiInstance',
    means: 'The database could not be asked how many connections it has free; rollouts begin all the same.',
    action: 'Let the operator reach the database with the URI of the instance.',
  },
  HostTaken: {
    kind: 'ApiInstance',
    means:
      'Another object of the same router claims the same host and path, so that it is chance who gets the traffic.',
    action: 'Remove the object that the message names, or change spec.expose.host or spec.expose.path.',
  },
  Healthy: {
    kind: 'ApiInstance',
    means: 'Nothing is amiss with what serves and what is rolled out.',
    action: null,
  },
} as const satisfies Partial<Record<Reason, ReasonDoc>>;
