import { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import type { RequestOptions } from 'node:https';

/** An authenticated way to the API server. */
export interface Transport {
  /** Base URL without a trailing slash. */
  readonly server: string;
  /** The connection pool and the headers to use for the next call; cheap, so ask anew for every call. */
  authenticate(): Promise<{ readonly dispatcher: Dispatcher; readonly headers: Record<string, string> }>;
  close(): Promise<void>;
}

/** What of the KubeConfig makes a TLS connection; a change of it needs new connections. */
interface TlsOptions {
  readonly ca?: Buffer | string;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

/**
 * The transport of a KubeConfig's current context: tokens, client certificates, exec plugins, the in-cluster service
 * account, HTTP proxies.
 *
 * Guarantees: credentials are asked for before every call, so a rotated token (client-node reads the projected file
 * anew every 60 s) or certificate is used; there is one connection pool as long as the TLS material stays the same.
 * client-node's own `applySecurityAuthentication` makes a new pool for every call, which is why it is not used.
 */
export function createTransport(given: KubeConfig): Transport {
  const kubeConfig = allowPlainHttp(given);
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no cluster for its current context');
  if (cluster.proxyUrl?.startsWith('socks') === true)
    throw new Error('SOCKS proxies to the API server are not supported: use an HTTP proxy');
  const proxyUrl = cluster.proxyUrl;
  let pool: { readonly tls: TlsOptions; readonly dispatcher: Dispatcher } | undefined;

  function dispatcherFor(tls: TlsOptions): Dispatcher {
    if (pool !== undefined && sameTls(pool.tls, tls)) return pool.dispatcher;
    // Graceful: what runs on the old connections, watches above all, ends by itself.
    pool?.dispatcher.close().catch(() => undefined);
    const timeouts = {
      // The caller's signals are the timeouts; undici's own would cut quiet watches.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Below the 90 s after which the API server closes an idle connection, so that none is reused as it dies.
      keepAliveTimeout: 30_000,
      // A half-open HTTP/2 connection would stall all calls at once.
      allowH2: false,
      // A dozen watches hold one each. After a restart a thousand proofs ask at once; each would open one, with all that
      // TLS takes on both sides, and most of them would never be used again.
      connections: 64,
    };
    const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 15_000, timeout: 10_000 };
    const dispatcher =
      proxyUrl === undefined
        ? new Agent({ ...timeouts, connect })
        : new ProxyAgent({ ...timeouts, uri: proxyUrl, requestTls: connect });
    pool = { tls, dispatcher };
    return dispatcher;
  }

  return {
    server: cluster.server.replace(/\/+$/, ''),
    async authenticate() {
      const options: RequestOptions = {};
      await kubeConfig.applyToHTTPSOptions(options);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {}))
        headers[name.toLowerCase()] = String(value).trim();
      if (typeof options.auth === 'string')
        headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      return { dispatcher: dispatcherFor(tlsOf(options)), headers };
    },
    async close() {
      await pool?.dispatcher.destroy();
      pool = undefined;
    },
  };
}

/** client-node refuses http:// servers unless TLS verification is off; where there is no TLS there is nothing to verify. */
function allowPlainHttp(given: KubeConfig): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: given.clusters.map((cluster) =>
      cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
    ),
    users: given.users,
    contexts: given.contexts,
    currentContext: given.currentContext,
  });
  return kubeConfig;
}

function tlsOf(options: RequestOptions): TlsOptions {
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  return {
    ...(isMaterial(ca) ? { ca } : {}),
    ...(isMaterial(cert) ? { cert } : {}),
    ...(isMaterial(key) ? { key } : {}),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function isMaterial(value: unknown): value is Buffer | string {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

function sameTls(a: TlsOptions, b: TlsOptions): boolean {
  return (
    String(a.ca) === String(b.ca) &&
    String(a.cert) === String(b.cert) &&
    String(a.key) === String(b.key) &&
    a.rejectUnauthorized === b.rejectUnauthorized &&
    a.servername === b.servername
  );
}
