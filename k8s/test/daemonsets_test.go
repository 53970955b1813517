package charts

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func TestLogship(t *testing.T) {
	o := mustRender(t, "daemonsets", nil)
	d := get[*appsv1.DaemonSet](t, o, "DaemonSet/logship")
	checkWorkload(t, d.Spec.Template, d.Spec.Selector.MatchLabels)
	pod := d.Spec.Template.Spec
	c := only(t, pod)
	checkProbes(t, c, "internal", "/readyz", "/healthz")
	if c.Image != "kreislauf.local/kreislauf:v1" || !slices.Equal(c.Args, []string{"logship"}) {
		t.Errorf("runs %s %v", c.Image, c.Args)
	}
	if ptr.Deref(c.SecurityContext.RunAsUser, -1) != 0 || !cmp.Equal(c.SecurityContext.Capabilities.Add, []corev1.Capability{"DAC_READ_SEARCH"}) {
		t.Errorf("securityContext %+v; want uid 0 with DAC_READ_SEARCH only", c.SecurityContext)
	}
	if u := d.Spec.UpdateStrategy.RollingUpdate; u == nil || u.MaxUnavailable.String() != "1" || u.MaxSurge != nil {
		t.Errorf("two shippers must not share a checkpoint: %+v", u)
	}
	if pod.NodeSelector["kubernetes.io/os"] != "linux" || len(pod.Tolerations) != 1 || pod.Tolerations[0].Operator != corev1.TolerationOpExists {
		t.Errorf("nodeSelector %v, tolerations %v", pod.NodeSelector, pod.Tolerations)
	}
	instance := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool {
		return e.Name == "KREISLAUF_INSTANCE" && e.ValueFrom.FieldRef.FieldPath == "spec.nodeName"
	})
	if instance < 0 {
		t.Error("the instance must be the node: it is part of the identity of files")
	}
}

func TestLogshipVolumes(t *testing.T) {
	type mount struct {
		Node, Pod string
		ReadOnly  bool
	}
	mounts := func(values map[string]any) (got []mount) {
		pod := get[*appsv1.DaemonSet](t, mustRender(t, "daemonsets", values), "DaemonSet/logship").Spec.Template.Spec
		for i, m := range only(t, pod).VolumeMounts {
			if pod.Volumes[i].Name != m.Name {
				t.Fatalf("mount %s is not volume %s", m.Name, pod.Volumes[i].Name)
			}
			got = append(got, mount{pod.Volumes[i].HostPath.Path, m.MountPath, m.ReadOnly})
		}
		return got
	}
	want := []mount{{"/var/log/pods", "/var/log/pods", true}, {"/var/lib/kreislauf-logship", "/state", false}}
	if diff := cmp.Diff(want, mounts(nil)); diff != "" {
		t.Errorf("mounts (-want +got)\n%s", diff)
	}
	const docker = "/var/lib/docker/containers"
	want = []mount{want[0], {docker, docker, true}, want[1], {"/opt/geo", "/geo", true}}
	if diff := cmp.Diff(want, mounts(map[string]any{"geoDir": "/opt/geo", "linkDirs": []any{docker}})); diff != "" {
		t.Errorf("mounts with geo and the Docker runtime (-want +got)\n%s", diff)
	}
}

func TestLogshipUpdateAndPriority(t *testing.T) {
	o := mustRender(t, "daemonsets", map[string]any{"priorityClassName": "system-node-critical", "maxUnavailable": "10%", "tolerations": nil})
	d := get[*appsv1.DaemonSet](t, o, "DaemonSet/logship")
	pod := d.Spec.Template.Spec
	if u := d.Spec.UpdateStrategy.RollingUpdate; u.MaxUnavailable.String() != "10%" || pod.PriorityClassName != "system-node-critical" || len(pod.Tolerations) != 0 {
		t.Errorf("maxUnavailable %s, priority class %q, tolerations %v", u.MaxUnavailable, pod.PriorityClassName, pod.Tolerations)
	}
	for _, bad := range []any{0, "0%", "none", -1} {
		if _, err := render("daemonsets", map[string]any{"maxUnavailable": bad}); err == nil {
			t.Errorf("maxUnavailable %v was accepted", bad)
		}
	}
}

func TestLogshipOnLabelledNodes(t *testing.T) {
	o := mustRender(t, "daemonsets", map[string]any{"nodeSelector": map[string]any{"kreislauf/logs": "true"}, "tolerations": []any{}})
	pod := get[*appsv1.DaemonSet](t, o, "DaemonSet/logship").Spec.Template.Spec
	if pod.NodeSelector["kreislauf/logs"] != "true" || len(pod.Tolerations) != 0 {
		t.Errorf("nodeSelector %v, tolerations %v", pod.NodeSelector, pod.Tolerations)
	}
}
