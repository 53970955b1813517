package charts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

const (
	drainSeconds = 4  // KREISLAUF_DRAIN
	stopSeconds  = 10 // run.StopTimeout
)

// podOf returns the pod template of a workload; ok is false for other objects.
func podOf(object runtime.Object) (spec corev1.PodTemplateSpec, selector map[string]string, ok bool) {
	switch w := object.(type) {
	case *appsv1.Deployment:
		return w.Spec.Template, w.Spec.Selector.MatchLabels, true
	case *appsv1.StatefulSet:
		return w.Spec.Template, w.Spec.Selector.MatchLabels, true
	case *appsv1.DaemonSet:
		return w.Spec.Template, w.Spec.Selector.MatchLabels, true
	case *batchv1.Job:
		return w.Spec.Template, nil, true
	}
	return corev1.PodTemplateSpec{}, nil, false
}

// checkWorkload checks what every pod of both charts must have, whoever it is.
func checkWorkload(t *testing.T, template corev1.PodTemplateSpec, selector map[string]string) {
	t.Helper()
	pod, c := template.Spec, only(t, template.Spec)
	for k, v := range selector {
		if template.Labels[k] != v {
			t.Errorf("selector %s=%s does not select the pod's label %q", k, v, template.Labels[k])
		}
	}
	if ptr.Deref(pod.AutomountServiceAccountToken, true) || ptr.Deref(pod.EnableServiceLinks, true) {
		t.Error("the pod gets a token of the API server or variables of other Services")
	}
	if grace := ptr.Deref(pod.TerminationGracePeriodSeconds, 0); grace <= drainSeconds+stopSeconds {
		t.Errorf("terminationGracePeriodSeconds is %d, want more than drain %d + stop %d", grace, drainSeconds, stopSeconds)
	}
	if pod.SecurityContext == nil || pod.SecurityContext.SeccompProfile == nil || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Error("no seccomp profile RuntimeDefault")
	}
	checkImage(t, c)
	for name, list := range map[string]corev1.ResourceList{"requests": c.Resources.Requests, "limits": c.Resources.Limits} {
		if list.Cpu().IsZero() || list.Memory().IsZero() {
			t.Errorf("resources: %s lack cpu or memory", name)
		}
	}
	s := c.SecurityContext
	if s == nil || ptr.Deref(s.AllowPrivilegeEscalation, true) || !ptr.Deref(s.ReadOnlyRootFilesystem, false) || ptr.Deref(s.Privileged, false) ||
		s.Capabilities == nil || !cmp.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		t.Errorf("securityContext of the container: %+v", s)
	}
	for _, e := range c.Env {
		secret := strings.Contains(e.Name, "PASSWORD") || strings.Contains(e.Name, "_KEY") || strings.Contains(e.Name, "MONGODB_URI") || strings.Contains(e.Name, "MONGOD_USERS")
		if secret != (e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil) && !strings.HasSuffix(e.Name, "_USERNAME") && !strings.HasSuffix(e.Name, "_SMTP_USER") {
			t.Errorf("%s: secrets, and nothing else, come from a Secret", e.Name)
		}
		if e.Value != "" {
			t.Errorf("%s: plain values belong into the ConfigMap", e.Name)
		}
	}
}

func checkImage(t *testing.T, c corev1.Container) {
	t.Helper()
	prefix, rest, _ := strings.Cut(c.Image, "/")
	_, tag, _ := strings.Cut(rest, ":")
	if !strings.Contains(prefix, ".") || tag == "" || tag == "latest" || c.ImagePullPolicy != corev1.PullIfNotPresent {
		t.Errorf("image %s, %s: want a prefix with a dot, a fixed tag, and IfNotPresent", c.Image, c.ImagePullPolicy)
	}
}

// checkUnprivileged checks that nothing runs as root.
func checkUnprivileged(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	s := pod.SecurityContext
	if s == nil || !ptr.Deref(s.RunAsNonRoot, false) || ptr.Deref(s.RunAsUser, 0) != 65532 {
		t.Errorf("securityContext of the pod: %+v; want runAsNonRoot with uid 65532", s)
	}
	if c := only(t, pod); len(c.SecurityContext.Capabilities.Add) != 0 || c.SecurityContext.RunAsUser != nil {
		t.Errorf("the container takes more: %+v", c.SecurityContext)
	}
	for _, v := range pod.Volumes {
		if v.HostPath != nil {
			t.Errorf("volume %s is a folder of the node", v.Name)
		}
	}
}

// checkProbes checks that readiness and liveness ask the given paths of a named port.
func checkProbes(t *testing.T, c corev1.Container, port, ready, live string) {
	t.Helper()
	for path, p := range map[string]*corev1.Probe{ready: c.ReadinessProbe, live: c.LivenessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != path || p.HTTPGet.Port.String() != port {
			t.Errorf("probe of %s on port %s is not there: %+v", path, port, p)
			continue
		}
		if p.TimeoutSeconds < 3 { // /readyz may take 2 s
			t.Errorf("probe of %s gives up after %d s", path, p.TimeoutSeconds)
		}
	}
}
