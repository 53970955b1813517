package charts

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/utils/ptr"
)

// replicas of the availability classes.
var replicas = map[string]int32{"uncritical": 1, "normal": 2, "critical": 3}

func TestAppsEveryServiceByItsClass(t *testing.T) {
	o := mustRender(t, "apps", nil)
	all := platformServices(t)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			checkService(t, o, name, replicas[s.Class], s.HTTP == nil || *s.HTTP)
		})
	}
	deployments := 0
	for key := range o {
		if strings.HasPrefix(key, "Deployment/") {
			deployments++
		}
	}
	if deployments != len(all)+1 {
		t.Errorf("%d Deployments, want %d services and nginx", deployments, len(all))
	}
}

func checkService(t *testing.T, o objects, name string, want int32, http bool) {
	t.Helper()
	d := get[*appsv1.Deployment](t, o, "Deployment/"+name)
	if got := ptr.Deref(d.Spec.Replicas, 0); got != want {
		t.Errorf("%d replicas, want %d", got, want)
	}
	if http {
		checkRolling(t, d)
	} else if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("strategy %s: two of it may run at the same time", d.Spec.Strategy.Type)
	}
	checkUnprivileged(t, d.Spec.Template.Spec)
	c := only(t, d.Spec.Template.Spec)
	checkProbes(t, c, "internal", "/readyz", "/healthz")
	if c.Image != "kreislauf.local/kreislauf:v1" || !slices.Equal(c.Args, []string{name}) || c.Command != nil {
		t.Errorf("runs %s %v %v", c.Image, c.Command, c.Args)
	}
	checkBudget(t, o, name, want)
	_, service := o["Service/"+name].(*corev1.Service)
	if service != http {
		t.Errorf("Service: %v, want %v", service, http)
	}
	if http {
		checkPorts(t, o, name, map[string]int32{"http": 8080, "internal": 8081})
	}
}

// checkRolling checks that a rollout never takes capacity away and that replicas spread over the nodes.
func checkRolling(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	r := d.Spec.Strategy.RollingUpdate
	if r == nil || r.MaxUnavailable.String() != "0" || r.MaxSurge.String() != "1" {
		t.Errorf("rolling update %+v, want maxUnavailable 0 and maxSurge 1", r)
	}
	spread := d.Spec.Template.Spec.TopologySpreadConstraints
	if len(spread) != 1 || spread[0].TopologyKey != "kubernetes.io/hostname" || spread[0].MaxSkew != 1 {
		t.Fatalf("topologySpreadConstraints %+v", spread)
	}
	for k, v := range spread[0].LabelSelector.MatchLabels {
		if d.Spec.Template.Labels[k] != v {
			t.Errorf("the spread selects %s=%s, which is not on the pods", k, v)
		}
	}
}

func checkBudget(t *testing.T, o objects, name string, replicas int32) {
	t.Helper()
	budget, ok := o["PodDisruptionBudget/"+name].(*policyv1.PodDisruptionBudget)
	if ok != (replicas > 1) {
		t.Fatalf("PodDisruptionBudget: %v with %d replicas", ok, replicas)
	}
	if ok && (budget.Spec.MaxUnavailable.String() != "1" || budget.Spec.Selector.MatchLabels["app.kubernetes.io/name"] != name) {
		t.Errorf("PodDisruptionBudget %+v", budget.Spec)
	}
}

// checkPorts checks that a Service has named ports that lead to ports of its pods.
func checkPorts(t *testing.T, o objects, name string, want map[string]int32) {
	t.Helper()
	service := get[*corev1.Service](t, o, "Service/"+name)
	got := map[string]int32{}
	for _, p := range service.Spec.Ports {
		got[p.Name] = p.Port
		found := false
		for key, object := range o {
			template, _, ok := podOf(object)
			if !ok || template.Labels["app.kubernetes.io/name"] != service.Spec.Selector["app.kubernetes.io/name"] {
				continue
			}
			found = slices.ContainsFunc(only(t, template.Spec).Ports, func(c corev1.ContainerPort) bool { return c.Name == p.TargetPort.String() })
			if !found {
				t.Errorf("%s has no port %s", key, p.TargetPort.String())
			}
		}
		if !found {
			t.Errorf("port %s leads nowhere", p.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ports (-want +got)\n%s", diff)
	}
}

func TestAppsEveryWorkload(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"embedded": nil,
		"own backends": {"backends": map[string]any{
			"embedded": false, "redis": "redis.data:6379", "kafka": "a:9092,b:9092", "elasticsearch": "https://search:9200", "smtp": "mail.example:587",
		}},
		"host port": {"nginx": map[string]any{"hostPort": 80}},
		"a labelled node, a private registry": {
			"nodeSelector": map[string]any{"kreislauf/apps": "true"},
			"image":        map[string]any{"registry": "images.example.com/team", "tag": "2026.11.22", "pullSecrets": []any{"pull"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := mustRender(t, "apps", values)
			for key, object := range o {
				template, selector, ok := podOf(object)
				if !ok {
					if strings.HasPrefix(key, "Secret/") {
						t.Errorf("%s: the chart must not hold secrets", key)
					}
					continue
				}
				t.Run(key, func(t *testing.T) {
					checkWorkload(t, template, selector)
					checkUnprivileged(t, template.Spec)
					if values["nodeSelector"] != nil && template.Spec.NodeSelector["kreislauf/apps"] != "true" {
						t.Errorf("nodeSelector %v", template.Spec.NodeSelector)
					}
					if values["image"] != nil && (len(template.Spec.ImagePullSecrets) != 1 || !strings.HasPrefix(only(t, template.Spec).Image, "images.example.com/team/")) {
						t.Errorf("image %s, pull secrets %v", only(t, template.Spec).Image, template.Spec.ImagePullSecrets)
					}
				})
			}
		})
	}
}

func TestAppsAutoscaling(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"services": map[string]any{"order": map[string]any{
		"autoscaling": map[string]any{"enabled": true, "maxReplicas": 7},
	}}})
	if r := get[*appsv1.Deployment](t, o, "Deployment/order").Spec.Replicas; r != nil {
		t.Errorf("replicas is %d; the HPA owns it", *r)
	}
	hpa := get[*autoscalingv2.HorizontalPodAutoscaler](t, o, "HorizontalPodAutoscaler/order").Spec
	if ptr.Deref(hpa.MinReplicas, 0) != 3 || hpa.MaxReplicas != 7 || hpa.ScaleTargetRef.Name != "order" || hpa.ScaleTargetRef.Kind != "Deployment" ||
		ptr.Deref(hpa.Metrics[0].Resource.Target.AverageUtilization, 0) != 80 {
		t.Errorf("HPA %+v", hpa)
	}
	checkBudget(t, o, "order", 3)
	if o["HorizontalPodAutoscaler/pricing"] != nil || get[*appsv1.Deployment](t, o, "Deployment/pricing").Spec.Replicas == nil {
		t.Error("autoscaling of order changed pricing")
	}
}

func TestAppsClassIsOneField(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"services": map[string]any{"statistics": map[string]any{"class": "critical"}}})
	checkService(t, o, "statistics", 3, true)
	_, err := render("apps", map[string]any{"services": map[string]any{"statistics": map[string]any{"class": "vital"}}})
	if err == nil || !strings.Contains(err.Error(), "class") {
		t.Errorf("an unknown class renders: %v", err)
	}
}

// A service without a value is left out, whether its row comes from the table of services or from values.yaml; the others stay.
func TestAppsLeavesServicesOut(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"services": map[string]any{"statistics": nil, "alerter": nil}})
	for key, want := range map[string]bool{"statistics": false, "alerter": false, "order": true, "identity": true} {
		if _, there := o["Deployment/"+key]; there != want {
			t.Errorf("Deployment of %s: %v, want %v", key, there, want)
		}
	}
}

func TestAppsProvision(t *testing.T) {
	job := get[*batchv1.Job](t, mustRender(t, "apps", nil), "Job/provision")
	if hook := job.Annotations["helm.sh/hook"]; hook != "post-install,post-upgrade" {
		t.Errorf("hook %q", hook)
	}
	if c := only(t, job.Spec.Template.Spec); !slices.Equal(c.Args, []string{"provision", "-wait", "5m"}) {
		t.Errorf("args %v", c.Args)
	}
}

func TestAppsRefusesBadValues(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"env with a dash":     {"env": "prod-1"},
		"tag latest":          {"image": map[string]any{"tag": "latest"}},
		"registry without .":  {"image": map[string]any{"registry": "local"}},
		"misspelt key":        {"service": map[string]any{}},
		"no backends at all":  {"backends": map[string]any{"embedded": false}},
		"no mail server":      {"backends": map[string]any{"embedded": false, "redis": "r:1", "kafka": "k:1", "elasticsearch": "https://e:1"}},
		"misspelt in service": {"services": map[string]any{"order": map[string]any{"klass": "critical"}}},
	} {
		if _, err := render("apps", values); err == nil {
			t.Errorf("%s: the chart renders", name)
		}
	}
}
