const name = 'traefik';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'controller' };
const group = 'gateway.networking.k8s.io';

/** Where the Gateway listens: the namespace and name of Traefik's Service, whose port for HTTP is named `web`. */
export const gatewayService = { namespace: name, name } as const;
/** The Gateway that routes name as their parent. */
export const gatewayRef = { namespace: name, name: 'public' } as const;

/** What Traefik may read and write for Gateway API, as its documentation grants it. */
function rules(): object[] {
  const kinds = [
    'gatewayclasses',
    'gateways',
    'httproutes',
    'grpcroutes',
    'tlsroutes',
    'referencegrants',
    'backendtlspolicies',
  ];
  return [
    { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['services', 'secrets', 'configmaps'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    { apiGroups: [group], resources: kinds, verbs: ['get', 'list', 'watch'] },
    { apiGroups: [group], resources: kinds.map((kind) => `${kind}/status`), verbs: ['update'] },
  ];
}

function container(image: string): object {
  const probe = { httpGet: { path: '/ping', port: 'ping' }, timeoutSeconds: 2 };
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: [
      '--providers.kubernetesgateway',
      '--entrypoints.web.address=:8000',
      '--entrypoints.traefik.address=:8080',
      '--ping',
      '--global.checknewversion=false',
      '--global.sendanonymoususage=false',
      // While it shuts down it goes on accepting until its own endpoint is gone everywhere.
      '--entrypoints.web.transport.lifecycle.requestacceptgracetimeout=10s',
      // Below the 75 s after which a gate closes an idle connection: the one that asks lets go first.
      '--serverstransport.forwardingtimeouts.idleconntimeout=60s',
    ],
    ports: [
      { name: 'web', containerPort: 8000 },
      { name: 'ping', containerPort: 8080 },
    ],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 5 },
    resources: { requests: { cpu: '50m', memory: '64Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** Traefik in two replicas behind a node port, its GatewayClass, and a Gateway that takes routes of all namespaces. */
export function traefikManifests({ image, nodePort }: { image: string; nodePort: number }): object[] {
  const metadata = { name, namespace: name, labels };
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { ...rbac, kind: 'ClusterRole', metadata: { name, labels }, rules: rules() },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: name }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'GatewayClass',
      metadata: { name, labels },
      spec: { controllerName: 'traefik.io/gateway-controller' },
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'Gateway',
      metadata: { ...metadata, name: gatewayRef.name },
      spec: {
        gatewayClassName: name,
        // The port of Traefik's entry point, by which it finds the one for a listener.
        listeners: [
          { name: 'http', protocol: 'HTTP', port: 8000, allowedRoutes: { namespaces: { from: 'All' } } },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [{ name: 'web', port: 80, targetPort: 'web', nodePort }],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            terminationGracePeriodSeconds: 60,
            containers: [container(image)],
          },
        },
      },
    },
  ];
}
