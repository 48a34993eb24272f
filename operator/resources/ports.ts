/** Where the gate serves clients. */
export const publicPort = 8080;
/** Where the gate serves probes, proofs and metrics; no Service exposes it. */
export const adminPort = 9090;
/** Where PostgREST listens, on loopback inside the pod. */
export const postgrestPort = 3000;
/** PostgREST's admin server, on loopback too: before v13 it binds to `server-host`. */
export const postgrestAdminPort = 3001;
/** Where PgBouncer listens. */
export const poolerPort = 6432;
/** Where the exporter beside PgBouncer serves its metrics. */
export const exporterPort = 9127;
