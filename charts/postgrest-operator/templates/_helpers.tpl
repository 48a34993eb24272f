{{- define "operator.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* ClusterRoles are shared by all releases of a cluster: two releases of one name in two namespaces are told apart. */ -}}
{{- define "operator.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "operator.name" .) -}}
{{- end -}}

{{- define "operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "operator.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- /* What the operator may do in the namespaces that it looks after. */ -}}
{{- define "operator.namespacedRules" -}}
- apiGroups: [pgrst.dev]
  resources: [apischemas, apiinstances]
  verbs: [get, list, watch, patch]
- apiGroups: [pgrst.dev]
  resources: [apischemas/status, apiinstances/status]
  verbs: [patch]
# Where the admission plugin OwnerReferencesPermissionEnforcement is on, being the owner of an object needs this.
- apiGroups: [pgrst.dev]
  resources: [apischemas/finalizers, apiinstances/finalizers]
  verbs: [update]
# Secrets are read by the name that a spec gives. Never list or watch: both reveal the content of all of them.
# create and patch are for the PgBouncer Secret that the operator owns; its owner reference deletes it.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get, create, patch]
- apiGroups: ['']
  resources: [configmaps, services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
{{- if .Values.gateway.service.name }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
# The Job of spec.beforeMigration, made from the user's own template.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, create]
# Every pod of a revision is proved at its own address; the pods of a failed Job tell the end of its log. An annotation
# makes the kubelet look after the volumes of a pod at once; a pod that does not hear that it is to reload is deleted.
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
