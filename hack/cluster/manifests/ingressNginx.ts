const name = 'ingress-nginx';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'controller' };
const read = ['get', 'list', 'watch'];

/** What the controller may read and write, as upstream's manifests grant it. */
function rules(): object[] {
  return [
    {
      apiGroups: [''],
      resources: ['configmaps', 'endpoints', 'nodes', 'pods', 'secrets', 'namespaces', 'services'],
      verbs: read,
    },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, 'create', 'update'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ];
}

function container(image: string): object {
  const probe = { httpGet: { path: '/healthz', port: 10254 }, timeoutSeconds: 1 };
  const field = (fieldPath: string): object => ({ valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: 'controller',
    image,
    imagePullPolicy: 'IfNotPresent',
    // Ports above 1024 need no capability; all else, the rate of its syncs included, is as users have it.
    args: [
      '--election-id=ingress-nginx-leader',
      '--controller-class=k8s.io/ingress-nginx',
      '--ingress-class=nginx',
      '--configmap=$(POD_NAMESPACE)/ingress-nginx-controller',
      '--publish-service=$(POD_NAMESPACE)/ingress-nginx-controller',
      '--http-port=8080',
      '--https-port=8443',
    ],
    env: [
      { name: 'POD_NAME', ...field('metadata.name') },
      { name: 'POD_NAMESPACE', ...field('metadata.namespace') },
    ],
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'https', containerPort: 8443 },
    ],
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: 60 },
    // /healthz is well up to a second before every worker of nginx has its backends; until then it answers 503.
    readinessProbe: { ...probe, periodSeconds: 1, successThreshold: 3, failureThreshold: 30 },
    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 5 },
    // New connections learn to go to another replica before nginx stops taking them.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
    resources: { requests: { cpu: '100m', memory: '90Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** The ingress-nginx controller behind a node port, and the ingress class `nginx`. */
export function ingressNginxManifests({
  image,
  nodePort,
  replicas = 1,
}: {
  image: string;
  nodePort: number;
  replicas?: number;
}): object[] {
  const metadata = { name, namespace: name, labels };
  const controller = { ...metadata, name: `${name}-controller` };
  const headers = { ...metadata, name: `${name}-response-headers` };
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
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx', labels },
      spec: { controller: 'k8s.io/ingress-nginx' },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: headers,
      // So that a client which measures can say which replica and which pods had a request.
      data: { 'X-Ingress-Replica': '$hostname', 'X-Ingress-Upstream': '$upstream_addr' },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: controller,
      data: { 'add-headers': `${name}/${headers.name}` },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: controller,
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [
          { name: 'http', port: 80, targetPort: 'http', nodePort },
          { name: 'https', port: 443, targetPort: 'https' },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: controller,
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            terminationGracePeriodSeconds: 300,
            containers: [container(image)],
          },
        },
      },
    },
  ];
}
