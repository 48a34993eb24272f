import type { KubeObject } from '../runtime/object.ts';
import { gateScript } from './gateScript.ts';
import { names, ownedMetadata, revisionLabels, type Owner } from './names.ts';
import { adminPort, postgrestAdminPort, postgrestPort, publicPort } from './ports.ts';
import type { RevisionContent } from './revision.ts';

/**
 * A request that carries this header is answered by the gate itself: 204, who it is, and nothing else. It is neither
 * logged nor counted, so that proving where traffic goes does not look like traffic.
 */
export const probeHeader = 'X-Pgrst-Probe';

/** Name of the function in every release whose presence in the schema cache proves that the release is loaded. */
export function sentinelFunction(release: string): string {
  return `pgrst_sentinel_${release}`;
}

/** The gate's configuration for one revision. Immutable: another configuration is another revision. */
export function gateConfigMap(owner: Owner, number: number, content: RevisionContent): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(owner, names(owner.name).revision(number), revisionLabels(owner.name, number)),
    immutable: true,
    data: { 'nginx.conf': nginxConf(number, content), 'gate.js': gateScript },
  };
}

/** nginx.conf for nginx 1.26 with njs 0.8.9, as Debian trixie and the official image have them. */
export function nginxConf(number: number, content: RevisionContent): string {
  const { release, exposedSchema, path } = content;
  return `load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
# Requests in flight end before the worker does, but none is waited for longer than PostgREST may take.
worker_shutdown_timeout 60s;

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
  js_shared_dict_zone zone=state:32k type=string;
  js_var $held 0;
  js_set $observed gate.observe;

  map $host $revision { default "${number}"; }
  map $host $release { default "${release.id}"; }
  map $http_x_request_id $id { default $http_x_request_id; "" $request_id; }
  map $http_x_pgrst_probe $is_logged { default 0; "" 1; }
  # Clients name the schema as the SQL does; PostgREST knows it by the release's name.
  map $http_accept_profile $accept_profile { default $http_accept_profile; "${exposedSchema}" "${release.schema}"; }
  map $http_content_profile $content_profile { default $http_content_profile; "${exposedSchema}" "${release.schema}"; }
  map $upstream_http_content_profile $answered_profile {
    default $upstream_http_content_profile;
    "${release.schema}" "${exposedSchema}";
  }

  log_format access escape=json '{"time":"$time_iso8601","requestId":"$id","method":"$request_method","path":"$uri",'
    '"status":$status,"bytes":$bytes_sent,"seconds":$request_time,"upstreamSeconds":"$upstream_response_time",'
    '"revision":"$revision","release":"$release"}$observed';

  server_tokens off;
  # Longer than ingress-nginx keeps its side (60 s): who closes first must be the one that sends.
  keepalive_timeout 75s;
  keepalive_requests 100000;
  # The size of a body is the ingress's to limit.
  client_max_body_size 0;

  proxy_http_version 1.1;
  proxy_connect_timeout 2s;
  proxy_read_timeout 60s;
  proxy_send_timeout 60s;
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
    proxy_hide_header Content-Profile;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-Id $id;
    proxy_set_header ${probeHeader} "";
    proxy_set_header Accept-Profile $accept_profile;
    proxy_set_header Content-Profile $content_profile;
    error_page 502 = @hold;

${locations(path)}
    location @hold {
      js_content gate.hold;
    }

    location @again {
      proxy_pass http://postgrest;
    }
  }

  server {
    listen ${adminPort};
    access_log off;
    add_header X-Pgrst-Revision $revision always;
    add_header X-Pgrst-Release $release always;

    location = /ready { js_content gate.ready; }
    location = /sentinel { js_content gate.sentinel; }
    location = /metrics { js_content gate.metrics; }

    location = /_sentinel {
      internal;
      proxy_method OPTIONS;
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_pass http://127.0.0.1:${postgrestPort}/rpc/${sentinelFunction(release.id)};
    }

    location = /_ready {
      internal;
      proxy_method GET;
      proxy_pass_request_headers off;
      proxy_pass http://127.0.0.1:${postgrestAdminPort}/ready;
    }

    location / { return 404; }
  }
}
`;
}

/** The locations of the public port: everything under the path, without it, to PostgREST; nothing else. */
function locations(path: string): string {
  const prefix = path.replace(/\/+$/, '');
  const answerProbe = `if ($http_x_pgrst_probe) { return 204; }`;
  if (prefix === '') {
    return `    location / {
      ${answerProbe}
      proxy_pass http://postgrest;
    }
`;
  }
  return `    location = ${prefix} {
      ${answerProbe}
      rewrite ^ / break;
      proxy_pass http://postgrest;
    }

    location ^~ ${prefix}/ {
      ${answerProbe}
      rewrite ^${prefix.replaceAll('.', '\\.')}(/.*)$ $1 break;
      proxy_redirect / ${prefix}/;
      proxy_pass http://postgrest;
    }

    location / { return 404; }
`;
}
