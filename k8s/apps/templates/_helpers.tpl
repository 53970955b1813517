{{- /* Every helper takes a dict: root ($), name (of the component), what it says itself,
      and tag where the image has another than image.tag. */ -}}

{{- /* The platform version: the value, or that of the sources. Takes the root. */ -}}
{{- define "kreislauf.version" -}}
{{ .Values.platformVersion | default (.Files.Get "files/services.yaml" | fromYaml).platform }}
{{- end }}

{{- /* The version of a service by its name; empty for what is none, and when the sources' platform version does not hold. */ -}}
{{- define "kreislauf.serviceVersion" -}}
{{- if not .root.Values.platformVersion }}{{ get (get (.root.Files.Get "files/services.yaml" | fromYaml).services .name | default dict) "version" }}{{ end }}
{{- end }}

{{- /* The labels that select the pods of a component; they never change. */ -}}
{{- define "kreislauf.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: kreislauf
{{- end }}

{{- /* All labels of a component. component: entry, service, backend or task. */ -}}
{{- define "kreislauf.labels" -}}
{{ include "kreislauf.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ get . "tag" | default .root.Values.image.tag | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- /* Replicas of an availability class. s: the settings of the component. */ -}}
{{- define "kreislauf.replicas" -}}
{{ get (dict "uncritical" 1 "normal" 2 "critical" 3) .s.class }}
{{- end }}

{{- /* What all pods have in common. 30 s are enough for 4 s of drain and 10 s of stopping. */ -}}
{{- define "kreislauf.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What all containers have in common. image: kreislauf or nginx. resources: theirs. A digest pins the image of image.tag; one that has
another tag has another digest. */ -}}
{{- define "kreislauf.container" -}}
{{- $tag := get . "tag" }}
{{- $digest := ternary (get . "digest") (get .root.Values.image.digests .image) (ne $tag "") }}
image: {{ .root.Values.image.registry }}/{{ .image }}:{{ $tag | default .root.Values.image.tag }}{{ with $digest }}@{{ . }}{{ end }}
imagePullPolicy: IfNotPresent
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml .resources | nindent 2 }}
{{- end }}

{{- /* Environment of a process of the platform. secrets: keys of the Secret; credentials of Elasticsearch and of the mail server may be absent. Each service has
a MongoDB user of its own, so the URI has a key for each. */ -}}
{{- define "kreislauf.env" -}}
envFrom:
  - configMapRef: {name: kreislauf}
env:
  - {name: KREISLAUF_INSTANCE, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: GOMEMLIMIT, valueFrom: {resourceFieldRef: {resource: requests.memory}}}
  {{- if include "kreislauf.serviceVersion" . }}
  - {name: KREISLAUF_SERVICE_VERSION, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['kreislauf/service-version']"}}}
  {{- end }}
  {{- $secret := .root.Values.secret }}
  {{- $own := printf "KREISLAUF_MONGODB_URI_%s" (upper .name) }}
  {{- range .secrets }}
  - name: {{ . }}
    valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ ternary $own . (eq . "KREISLAUF_MONGODB_URI") }}, optional: {{ or (hasPrefix "KREISLAUF_ELASTICSEARCH_" .) (hasPrefix "KREISLAUF_SMTP_" .) }}}}
  {{- end }}
{{- end }}

{{- /* Strategy: never less than before for what serves; never two for the alerter, which must be alone. s: the settings. */ -}}
{{- define "kreislauf.rolling" -}}
{{- if .s.http -}}
type: RollingUpdate
rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
{{- else -}}
type: Recreate
{{- end }}
{{- end }}

{{- /* Replicas spread over the nodes. */ -}}
{{- define "kreislauf.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {app.kubernetes.io/name: {{ .name }}}}
    matchLabelKeys: [pod-template-hash]
{{- end }}

{{- /* PodDisruptionBudget and HorizontalPodAutoscaler of a Deployment. s: its settings. */ -}}
{{- define "kreislauf.scaling" -}}
{{- $replicas := include "kreislauf.replicas" . | int }}
{{- if gt $replicas 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels: {{- include "kreislauf.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "kreislauf.selector" . | nindent 6 }}
{{- end }}
{{- if .s.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  labels: {{- include "kreislauf.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .name }}}
  minReplicas: {{ $replicas }}
  maxReplicas: {{ .s.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .s.autoscaling.cpuPercent }}}}
{{- end }}
{{- end }}
