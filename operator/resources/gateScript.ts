/**
 * gate.js, in njs (https://nginx.org/en/docs/njs/, 0.8.9): what nginx's own directives cannot do. It is text and not a
 * module of ours: it runs inside nginx, from the revision's ConfigMap. njs is not Node: no `for of`, no state between
 * two requests but in `ngx.shared`.
 */
export const gateScript = `const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
// A client may invent methods; a label must not have values without end.
const methods = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'];
// How long a request is held in all, in milliseconds: nobody should wait 5 s.
const patience = 3500;

// Counts a request that was logged. nginx evaluates it in the log phase, where status and time are final.
function observe(r) {
  const store = ngx.shared.metrics;
  const seconds = Number(r.variables.request_time);
  const bound = bounds.find((limit) => seconds <= limit);
  const method = methods.includes(r.method) ? r.method : 'OTHER';
  store.incr('requests ' + method + ' ' + r.variables.status, 1, 0);
  store.incr('bucket ' + (bound === undefined ? '+Inf' : bound), 1, 0);
  store.incr('sum', seconds, 0);
  return '';
}

// '1' for a while after PostgREST refused a connection and until it has loaded its cache again.
function isRestarting() {
  return Date.now() < (ngx.shared.state.get('restarting') || 0) ? '1' : '';
}

function noteRefusal() {
  ngx.shared.state.set('loaded', 0);
  ngx.shared.state.set('restarting', Date.now() + patience);
}

// nginx could not get an answer. What was never sent may go again, whatever its method; all else may have been done.
async function refused(r) {
  const times = String(r.variables.upstream_connect_time).split(/[,:]/);
  const wasSent = times[times.length - 1].trim() !== '-';
  const heldFor = Date.now() - (Number(r.variables.held_since) || Date.now());
  if (wasSent || heldFor >= patience || Number(r.variables.holds) >= 4) {
    r.headersOut['Content-Type'] = 'application/json';
    r.return(502, JSON.stringify({ code: 'GATE502', message: 'PostgREST does not answer', details: null, hint: null }));
    return;
  }
  noteRefusal();
  await hold(r);
}

// Waits until PostgREST has loaded its cache or patience ends, then sends the request on.
async function hold(r) {
  if (r.variables.held_since === '') {
    r.variables.held_since = String(Date.now());
    ngx.shared.metrics.incr('held', 1, 0);
  }
  r.variables.holds = String(Number(r.variables.holds) + 1);
  const until = Number(r.variables.held_since) + patience;
  let pause = 100;
  while (Date.now() < until) {
    const wait = Math.min(pause, Math.max(1, until - Date.now()));
    await new Promise((resolve) => setTimeout(resolve, wait));
    pause = Math.min(pause * 2, 800);
    if ((await look(r)).loaded) break;
  }
  r.internalRedirect('@forward');
}

async function ask(url, method, headers) {
  try {
    const reply = await ngx.fetch(url, { method: method, headers: headers || {} });
    return { status: reply.status, headers: reply.headers, body: await reply.text() };
  } catch (e) {
    return { status: 0, headers: new Headers(), body: '' };
  }
}

// Asks PostgREST for the sentinel, which it answers from its schema cache alone: 200 or 404 once that is loaded. Where
// every request needs a token it answers 401 first; then its admin server is asked, but only until it has once said
// ready: it queries the database, and an overload would take every pod out of the Service.
async function look(r) {
  const state = ngx.shared.state;
  const seen = await ask(r.variables.sentinel_url, 'OPTIONS');
  const needsToken = seen.status === 401 || seen.status === 403;
  let loaded = seen.status === 200 || seen.status === 404;
  if (seen.status === 0) noteRefusal();
  if (needsToken) {
    loaded = state.get('loaded') === 1 || (await ask(r.variables.ready_url, 'GET')).status === 200;
  }
  state.set('loaded', loaded ? 1 : 0);
  state.set('remembers', loaded && needsToken ? 1 : 0);
  if (loaded) state.set('restarting', 0);
  return { status: seen.status, headers: seen.headers, body: seen.body, loaded: loaded };
}

// Runs four times a second. Where readiness is remembered instead of seen, a restart of PostgREST must not be missed:
// the kubelet takes longer for one than this pauses.
async function watch(session) {
  if (ngx.shared.state.get('remembers') === 1) await look(session);
}

// Where a release takes the place of the one before, under the same pods, another sentinel is no reason to leave.
async function ready(r) {
  const seen = await look(r);
  const isReady = seen.loaded && (seen.status !== 404 || r.variables.in_place === '1');
  r.return(isReady ? 200 : 503, 'the sentinel answered ' + seen.status + '\\n');
}

// Asked with ?release it looks for that release, with ?settings it says whether those settings are loaded: by a profile
// that PostgREST knows only then, or by a header that it sends back only then.
async function sentinel(r) {
  const seen = await look(r);
  let answer = seen;
  if (/^[0-9a-f]{8}$/.test(r.args.release || ''))
    answer = await ask(r.variables.sentinel_url.replace(/[0-9a-f]{8}$/, r.args.release), 'OPTIONS');
  const token = r.args.settings || '';
  if (/^[0-9a-f]{12}$/.test(token) && (await holds(r, token))) r.headersOut['X-Pgrst-Settings'] = token;
  const server = /^postgrest\\/([0-9A-Za-z.-]+)/.exec(seen.headers.get('Server') || '');
  if (server) r.headersOut['X-Pgrst-Version'] = server[1];
  r.headersOut['X-Pgrst-Loaded'] = String(seen.loaded);
  r.return(answer.status || 502, answer.body);
}

async function holds(r, token) {
  if (r.args.by === 'profile') {
    const headers = { 'Accept-Profile': 'pgrst-settings-' + token };
    const known = await ask(r.variables.sentinel_url, 'OPTIONS', headers);
    return known.status === 200 || known.status === 404;
  }
  const name = 'X-Pgrst-Settings-' + token;
  const echo = await ask(r.variables.sentinel_url, 'OPTIONS', { [name]: token });
  return echo.headers.get(name) === token;
}

function metrics(r) {
  const store = ngx.shared.metrics;
  const own = 'revision="' + r.variables.revision + '",release="' + r.variables.release + '"';
  const lines = [];
  const describe = (name, type, help) => lines.push('# HELP ' + name + ' ' + help, '# TYPE ' + name + ' ' + type);
  describe('pgrst_gate_requests_total', 'counter', 'Requests answered, by method and status.');
  store.keys(1000).sort().forEach((key) => {
    const words = key.split(' ');
    if (words[0] !== 'requests') return;
    lines.push('pgrst_gate_requests_total{' + own + ',method="' + words[1] + '",code="' + words[2] + '"} ' + store.get(key));
  });
  const histogram = 'pgrst_gate_request_duration_seconds';
  describe(histogram, 'histogram', 'Time from the first byte of a request to the last of its answer.');
  let count = 0;
  bounds.concat(['+Inf']).forEach((bound) => {
    count += store.get('bucket ' + bound) || 0;
    lines.push(histogram + '_bucket{' + own + ',le="' + bound + '"} ' + count);
  });
  lines.push(histogram + '_sum{' + own + '} ' + (store.get('sum') || 0));
  lines.push(histogram + '_count{' + own + '} ' + count);
  describe('pgrst_gate_held_total', 'counter', 'Requests held while PostgREST restarted.');
  lines.push('pgrst_gate_held_total{' + own + '} ' + (store.get('held') || 0));
  r.headersOut['Content-Type'] = 'text/plain; version=0.0.4';
  r.return(200, lines.join('\\n') + '\\n');
}

export default { observe, isRestarting, refused, hold, watch, ready, sentinel, metrics };
`;
