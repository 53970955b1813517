package charts

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

func TestNginxBehindAService(t *testing.T) {
	o := mustRender(t, "apps", nil)
	d := get[*appsv1.Deployment](t, o, "Deployment/nginx")
	if ptr.Deref(d.Spec.Replicas, 0) != 2 {
		t.Errorf("replicas %d", ptr.Deref(d.Spec.Replicas, 0))
	}
	checkRolling(t, d)
	checkBudget(t, o, "nginx", 2)
	c := only(t, d.Spec.Template.Spec)
	checkProbes(t, c, "http", "/healthz", "/healthz")
	if c.Image != "kreislauf.local/nginx:v1" || c.Ports[0].HostPort != 0 {
		t.Errorf("image %s, host port %d", c.Image, c.Ports[0].HostPort)
	}
	checkPorts(t, o, "nginx", map[string]int32{"http": 80})
	s := get[*corev1.Service](t, o, "Service/nginx").Spec
	if s.Type != corev1.ServiceTypeNodePort || s.Ports[0].NodePort != 30080 || s.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
		t.Errorf("Service %+v", s)
	}
}

func TestNginxOnHostPort(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"nginx": map[string]any{"hostPort": 8080, "serviceType": "ClusterIP"}})
	d := get[*appsv1.DaemonSet](t, o, "DaemonSet/nginx")
	if u := d.Spec.UpdateStrategy.RollingUpdate; u == nil || u.MaxUnavailable.String() != "1" || u.MaxSurge != nil {
		t.Errorf("two pods cannot have one host port at the same time: %+v", u)
	}
	if port := only(t, d.Spec.Template.Spec).Ports[0].HostPort; port != 8080 {
		t.Errorf("host port %d", port)
	}
	for _, key := range []string{"Deployment/nginx", "PodDisruptionBudget/nginx", "HorizontalPodAutoscaler/nginx"} {
		if o[key] != nil {
			t.Errorf("%s is rendered too", key)
		}
	}
	if s := get[*corev1.Service](t, o, "Service/nginx").Spec; s.Type != corev1.ServiceTypeClusterIP || s.ExternalTrafficPolicy != "" || s.Ports[0].NodePort != 0 {
		t.Errorf("Service %+v", s)
	}
}

// Every pod is behind a policy; services take requests from nginx only.
func TestAppsNetworkPolicies(t *testing.T) {
	o := mustRender(t, "apps", nil)
	var policies []*networkingv1.NetworkPolicy
	for _, object := range o {
		if p, ok := object.(*networkingv1.NetworkPolicy); ok {
			policies = append(policies, p)
		}
	}
	for key, object := range o {
		template, _, ok := podOf(object)
		if !ok {
			continue
		}
		covered := false
		for _, p := range policies {
			covered = covered || matches(p.Spec.PodSelector.MatchLabels, template.Labels)
		}
		if !covered {
			t.Errorf("%s is behind no NetworkPolicy", key)
		}
	}
	services := get[*networkingv1.NetworkPolicy](t, o, "NetworkPolicy/services").Spec.Ingress
	if len(services) != 2 || services[0].Ports[0].Port.String() != "http" || len(services[0].From) != 1 ||
		!matches(services[0].From[0].PodSelector.MatchLabels, get[*appsv1.Deployment](t, o, "Deployment/nginx").Spec.Template.Labels) {
		t.Errorf("services: %+v", services)
	}
	backend := get[*networkingv1.NetworkPolicy](t, o, "NetworkPolicy/backends").Spec.Ingress[0].From[0].PodSelector
	allowed, err := metav1.LabelSelectorAsSelector(backend)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"Deployment/order": true, "Deployment/alerter": true, "Job/provision": true, "Deployment/nginx": false} {
		template, _, _ := podOf(o[key])
		if allowed.Matches(labels.Set(template.Labels)) != want {
			t.Errorf("%s may reach the backends: want %v", key, want)
		}
	}
	logship := get[*appsv1.DaemonSet](t, mustRender(t, "daemonsets", nil), "DaemonSet/logship").Spec.Template.Labels
	engine := get[*networkingv1.NetworkPolicy](t, o, "NetworkPolicy/engine-from-logship").Spec.Ingress
	if !matches(engine[0].From[0].PodSelector.MatchLabels, logship) || engine[0].From[0].NamespaceSelector == nil {
		t.Errorf("logship cannot reach the engine: %+v", engine)
	}
}

func matches(selector, has map[string]string) bool {
	for k, v := range selector {
		if has[k] != v {
			return false
		}
	}
	return true
}
