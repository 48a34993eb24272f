/**
 * gate.js, in njs (https://nginx.org/en/docs/njs/, 0.8.9): what nginx's own directives cannot do. It is text and not a
 * module of ours: it runs inside nginx, from the revision's ConfigMap.
 *
 * - `observe` counts each logged request, in the log phase, where status and time are final;
 * - `hold` waits for a PostgREST that restarts: only requests that were never sent, so any method may go again;
 * - `ready`, `sentinel` and `metrics` are the second port.
 */
export const gateScript = `const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const waits = [200, 400, 800, 1200];

function observe(r) {
  const metrics = ngx.shared.metrics;
  const seconds = Number(r.variables.request_time);
  const bound = bounds.find((limit) => seconds <= limit);
  metrics.incr('requests ' + r.method + ' ' + r.variables.status, 1, 0);
  metrics.incr('bucket ' + (bound === undefined ? '+Inf' : bound), 1, 0);
  metrics.incr('sum', seconds, 0);
  return '';
}

async function hold(r) {
  const times = String(r.variables.upstream_connect_time || '-').split(/[,:]/);
  const wasSent = times[times.length - 1].trim() !== '-';
  const tries = Number(r.variables.held);
  if (wasSent || tries >= waits.length) {
    r.headersOut['Content-Type'] = 'application/json';
    r.return(502, JSON.stringify({ code: 'GATE502', message: 'PostgREST does not answer', details: null, hint: null }));
    return;
  }
  r.variables.held = String(tries + 1);
  ngx.shared.metrics.incr('held', 1, 0);
  await new Promise((resolve) => setTimeout(resolve, waits[tries]));
  r.internalRedirect('@again');
}

async function ask(r) {
  const state = ngx.shared.state;
  const reply = await r.subrequest('/_sentinel');
  const needsToken = reply.status === 401 || reply.status === 403;
  if (reply.status === 200) state.set('loaded', 'true');
  else if (!needsToken) state.delete('loaded');
  else if (!state.has('loaded')) {
    const ready = await r.subrequest('/_ready');
    if (ready.status === 200) state.set('loaded', 'true');
  }
  const loaded = state.has('loaded');
  r.headersOut['X-Pgrst-Loaded'] = String(loaded);
  return { status: reply.status, loaded: loaded };
}

async function ready(r) {
  const seen = await ask(r);
  r.return(seen.loaded ? 200 : 503, 'the sentinel answered ' + seen.status + '\\n');
}

async function sentinel(r) {
  const seen = await ask(r);
  r.return(seen.status, 'the sentinel answered ' + seen.status + '\\n');
}

function metrics(r) {
  const store = ngx.shared.metrics;
  const own = 'revision="' + r.variables.revision + '",release="' + r.variables.release + '"';
  const lines = ['# TYPE pgrst_gate_requests_total counter'];
  store.keys(1000).forEach((key) => {
    const words = key.split(' ');
    if (words[0] !== 'requests') return;
    lines.push('pgrst_gate_requests_total{' + own + ',method="' + words[1] + '",code="' + words[2] + '"} ' + store.get(key));
  });
  lines.push('# TYPE pgrst_gate_request_duration_seconds histogram');
  let count = 0;
  bounds.concat(['+Inf']).forEach((bound) => {
    count += store.get('bucket ' + bound) || 0;
    lines.push('pgrst_gate_request_duration_seconds_bucket{' + own + ',le="' + bound + '"} ' + count);
  });
  lines.push('pgrst_gate_request_duration_seconds_sum{' + own + '} ' + (store.get('sum') || 0));
  lines.push('pgrst_gate_request_duration_seconds_count{' + own + '} ' + count);
  lines.push('# TYPE pgrst_gate_held_total counter');
  lines.push('pgrst_gate_held_total{' + own + '} ' + (store.get('held') || 0));
  r.headersOut['Content-Type'] = 'text/plain; version=0.0.4';
  r.return(200, lines.join('\\n') + '\\n');
}

export default { observe, hold, ready, sentinel, metrics };
`;
