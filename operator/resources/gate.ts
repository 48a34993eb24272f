import { durationMs } from '../api/v1alpha1/shared.ts';
import type { KubeObject } from '../runtime/object.ts';
import { hasServices, innerUri, mapText, resolverFile, serviceMap, startScript } from './gateRoutes.ts';
import { gateScript } from './gateScript.ts';
import { names, ownedMetadata, revisionLabels, type Owner } from './names.ts';
import { nginxSize, nginxTime } from './nginxUnits.ts';
import { pathPrefix } from './pathPrefix.ts';
import { adminPort, postgrestAdminPort, postgrestPort, publicPort } from './ports.ts';
import type { RevisionContent } from './revision.ts';
import { isInPlace } from './settingsFile.ts';
import { defaultRequestTimeout } from './timeouts.ts';

/**
 * A request that carries this header is answered by the gate itself: 204, who it is, and nothing else. It is neither
 * logged nor counted, so that proving where traffic goes does not look like traffic.
 */
export const probeHeader = 'X-Pgrst-Probe';

/** Name of the function in every release whose presence in the schema cache proves that the release is loaded. */
export function sentinelFunction(release: string): string {
  return `pgrst_sentinel_${release}`;
}

/** The command of the gate's container. An image with a shell is needed only where routes lead to other Services. */
export function gateCommand(content: RevisionContent): readonly string[] {
  const nginx = ['-c', '/etc/gate/nginx.conf', '-e', 'stderr', '-g', 'daemon off;'];
  return hasServices(content.routes) ? ['sh', '/etc/gate/start.sh', ...nginx] : ['nginx', ...nginx];
}

/** The gate's configuration for one revision. Immutable: another configuration is another revision. */
export function gateConfigMap(owner: Owner, number: number, content: RevisionContent): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(owner, names(owner.name).revision(number), revisionLabels(owner.name, number)),
    immutable: true,
    data: {
      'nginx.conf': nginxConf(number, content),
      'gate.js': gateScript,
      ...(hasServices(content.routes) ? { 'start.sh': startScript } : {}),
    },
  };
}

/** nginx.conf for nginx 1.26 with njs 0.8.9, as Debian trixie and the official image have them. */
export function nginxConf(number: number, content: RevisionContent): string {
  const { release, exposedSchema, path, bodySize } = content;
  const request = nginxTime(durationMs(content.timeouts?.request ?? defaultRequestTimeout));
  const prefix = pathPrefix(path);
  // The next release will be under the same pods, and this configuration is written once.
  const inPlace = isInPlace(content);
  const sentinelUrl = `http://127.0.0.1:${postgrestPort}/rpc/${sentinelFunction(release.id)}`;
  return `load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
worker_processes 1;
pid /tmp/nginx.pid;
# Not warn, which tells of each body that does not fit into memory.
error_log stderr error;
# Requests in flight end before the worker does, but none is waited for longer than PostgREST may take.
worker_shutdown_timeout ${request};

events {
  worker_connections 8192;
}

http {
  # The root file system is read-only.
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;

  js_path /etc/gate/;
  js_import gate from gate.js;
  js_shared_dict_zone zone=metrics:256k type=number;
  js_shared_dict_zone zone=state:32k type=number;
  js_fetch_timeout 3s;
  js_var $sentinel_url ${sentinelUrl};
  js_var $ready_url http://127.0.0.1:${postgrestAdminPort}/ready;
${inPlace ? '  js_var $in_place 1;\n' : ''}  js_var $held_since "";
  js_var $holds 0;
  js_set $is_restarting gate.isRestarting;
  js_set $observed gate.observe;

  map "" $revision { default "${number}"; }
  map "" $release { default "${inPlace ? '' : release.id}"; }
  map $http_x_request_id $id { default $http_x_request_id; "" $request_id; }
  map $http_x_pgrst_probe $is_probe { default 1; "" 0; }
  map $is_probe $is_logged { default 1; 1 0; }
  # Without the query, which holds clients' data.
  map $request_uri $path { "~^(?<before_query>[^?]*)" $before_query; }
${pathMaps(prefix, content)}
  # Clients name the schema as the SQL does; PostgREST knows it by the release's name. Regular expressions, because
  # a map compares plain strings without regard to case.
  map $http_accept_profile $accept_profile { default $http_accept_profile; "~^${exposedSchema}$" ${release.schema}; }
  map $http_content_profile $content_profile { default $http_content_profile; "~^${exposedSchema}$" ${release.schema}; }
  map $upstream_http_content_profile $answered_profile {
    default $upstream_http_content_profile;
    "~^${release.schema}$" ${exposedSchema};
  }

  log_format access escape=json '{"time":"$time_iso8601","requestId":"$id","method":"$request_method","path":"$path",'
    '"status":$status,"bytes":$bytes_sent,"seconds":$request_time,"upstreamSeconds":"$upstream_response_time",'
    '"revision":"$revision","release":"$release"}$observed';

  server_tokens off;
  # PostgREST names locations by path alone; the gate does not know the name that clients use.
  absolute_redirect off;
  default_type application/json;
  # Longer than ingress-nginx keeps its side (60 s): who closes first must be the one that sends.
  keepalive_timeout 75s;
  keepalive_requests 100000;
  large_client_header_buffers 8 32k;
${bodyLimit(bodySize)}
  client_body_buffer_size 128k;

  proxy_http_version 1.1;
  # Below the ${content.timeouts?.request === undefined ? '60 s of ingress-nginx' : 'wait of the ingress'}: the one nearer to the database gives up first.
  proxy_connect_timeout 2s;
  proxy_read_timeout ${request};
  proxy_send_timeout ${request};
  proxy_buffer_size 16k;
  proxy_buffers 8 16k;
  # PostgREST holds its answers in memory anyway: a slow client need not fill a disk too.
  proxy_max_temp_file_size 0;
  # What may be sent again is for gate.js to say: nginx would repeat a DELETE.
  proxy_next_upstream off;
  recursive_error_pages on;

  upstream postgrest {
    server 127.0.0.1:${postgrestPort} max_fails=0;
    keepalive 64;
    # Shorter than PostgREST's own 30 s: a POST on a connection that is just being closed could not be sent again.
    keepalive_timeout 20s;
  }

  server {
    listen ${publicPort};
    access_log /dev/stdout access if=$is_logged;
    add_header X-Pgrst-Revision $revision always;
    add_header X-Pgrst-Release $release always;
    add_header Content-Profile $answered_profile always;
    add_header Content-Location $answered_location always;
    proxy_hide_header Content-Profile;
    proxy_hide_header Content-Location;
    proxy_redirect ${prefix === '' ? 'off' : `/ ${prefix}/`};
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-Id $id;
    proxy_set_header Accept-Profile $accept_profile;
    proxy_set_header Content-Profile $content_profile;
    error_page 502 = @refused;
    error_page 504 = @late;
${tooLargeAnswer(bodySize)}
    if ($is_probe) { return 204; }
    if ($inner_uri = "") {
      return 404 '{"code":"GATE404","message":"this API is served under ${prefix}/","details":null,"hint":null}';
    }

    location / {
${serviceSwitch(content)}      if ($is_restarting) { rewrite ^ /.gate/hold last; }
      proxy_pass http://postgrest$inner_uri;
    }

    location = /.gate/hold {
      internal;
      js_content gate.hold;
    }

    location @forward {
      proxy_pass http://postgrest$inner_uri;
    }

    location @refused {
      js_content gate.refused;
    }

    location @late {
      return 504 '{"code":"GATE504","message":"PostgREST did not answer in time","details":null,"hint":null}';
    }
${tooLargeLocation(bodySize)}${serviceLocations(content)}  }

  server {
    listen ${adminPort};
    access_log off;
    add_header X-Pgrst-Revision $revision always;
    add_header X-Pgrst-Release $release always;

    location = /ready { js_content gate.ready; }
    location = /sentinel { js_content gate.sentinel; }
    location = /metrics { js_content gate.metrics; }
    location @watch { js_periodic gate.watch interval=250ms; }
    location / { return 404; }
  }
}
`;
}

/** The maps that read paths: what PostgREST is asked, who else is asked, and the location that an answer names. */
function pathMaps(prefix: string, { routes }: RevisionContent): string {
  const maps = [mapText('inner_uri', innerUri(prefix, routes))];
  if (routes && hasServices(routes)) {
    maps.push(
      `  include ${resolverFile};\n  resolver_timeout 2s;`,
      mapText('service', serviceMap(prefix, routes)),
    );
  }
  maps.push(
    prefix === ''
      ? '  map "" $answered_location { default $upstream_http_content_location; }'
      : `  map $upstream_http_content_location $answered_location {
    default $upstream_http_content_location;
    "~^(?<inner_location>/.*)$" ${prefix}$inner_location;
  }`,
  );
  return maps.join('\n');
}

function bodyLimit(bodySize: string | undefined): string {
  return bodySize === undefined
    ? "  # The size of a body is the ingress's to limit.\n  client_max_body_size 0;"
    : `  client_max_body_size ${nginxSize(bodySize)};`;
}

function tooLargeAnswer(bodySize: string | undefined, indent = ''): string {
  return bodySize === undefined ? '' : `${indent}    error_page 413 = @too_large;\n`;
}

function tooLargeLocation(bodySize: string | undefined): string {
  if (bodySize === undefined) return '';
  return `
    location @too_large {
      return 413 '{"code":"GATE413","message":"a request may have a body of ${bodySize} at most","details":null,"hint":null}';
    }
`;
}

function serviceSwitch({ routes }: RevisionContent): string {
  return hasServices(routes) ? '      if ($service) { rewrite ^ /.gate/service last; }\n' : '';
}

/**
 * What another Service answers goes through as it is, but for who let it in. No setting for PostgREST is inherited: one
 * directive of a kind in a location replaces all of that kind around it.
 */
function serviceLocations({ routes, bodySize }: RevisionContent): string {
  if (!hasServices(routes)) return '';
  return `
    location = /.gate/service {
      internal;
      add_header X-Pgrst-Revision $revision always;
      add_header X-Pgrst-Release $release always;
      proxy_hide_header X-Pgrst-Revision;
      proxy_hide_header X-Pgrst-Release;
      proxy_redirect off;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header X-Request-Id $id;
      error_page 502 = @service_away;
      error_page 504 = @service_late;
${tooLargeAnswer(bodySize, '  ')}      proxy_pass http://$service$request_uri;
    }

    location @service_away {
      return 502 '{"code":"GATE502","message":"the service behind this path does not answer","details":null,"hint":null}';
    }

    location @service_late {
      return 504 '{"code":"GATE504","message":"the service behind this path did not answer in time","details":null,"hint":null}';
    }
`;
}
