package charts

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// backends of a small cluster: their port and arguments.
var backends = map[string]struct {
	port int32
	args []string
}{
	"mongod":  {27017, []string{"mongod", "-data", "/data", "-addr", "0.0.0.0:27017"}},
	"kafkad":  {9092, []string{"kafkad", "-data", "/data", "-addr", "0.0.0.0:9092", "-advertise", "kafkad:9092"}},
	"engine":  {9200, []string{"engine", "-data", "/data", "-addr", "0.0.0.0:9200", "-open"}},
	"mailbox": {1025, []string{"mailbox", "-data", "/data", "-addr", "0.0.0.0:1025"}},
	"redis":   {6379, []string{"redisd", "-addr", "0.0.0.0:6379"}},
}

func TestEmbeddedBackends(t *testing.T) {
	o := mustRender(t, "apps", nil)
	scratch := mustRender(t, "apps", map[string]any{"backends": map[string]any{"storage": map[string]any{"size": ""}}})
	for name, want := range backends {
		s := get[*appsv1.StatefulSet](t, o, "StatefulSet/"+name).Spec
		c := only(t, s.Template.Spec)
		if !slices.Equal(c.Args, want.args) || ptr.Deref(s.Replicas, 0) != 1 || s.ServiceName != name {
			t.Errorf("%s: args %v, replicas %v, serviceName %s", name, c.Args, s.Replicas, s.ServiceName)
		}
		checkPorts(t, o, name, map[string]int32{name: want.port})
		if c.ReadinessProbe.TCPSocket.Port.String() != name || c.LivenessProbe.TCPSocket.Port.String() != name {
			t.Errorf("%s: probes %+v %+v", name, c.ReadinessProbe, c.LivenessProbe)
		}
		keeps := name != "redis" // it holds sessions in memory
		if keeps != (len(s.VolumeClaimTemplates) == 1 && s.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().String() == "2Gi") {
			t.Errorf("%s: claims %+v", name, s.VolumeClaimTemplates)
		}
		e := get[*appsv1.StatefulSet](t, scratch, "StatefulSet/"+name).Spec
		if len(e.VolumeClaimTemplates) != 0 || keeps != (len(e.Template.Spec.Volumes) == 1 && e.Template.Spec.Volumes[0].EmptyDir != nil) {
			t.Errorf("%s without storage: %+v", name, e.Template.Spec.Volumes)
		}
		if mounted := len(c.VolumeMounts) == 1 && c.VolumeMounts[0].MountPath == "/data"; mounted != keeps {
			t.Errorf("%s: mounts %+v", name, c.VolumeMounts)
		}
	}
}

func TestOwnBackends(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"backends": map[string]any{
		"embedded": false, "redis": "redis.data:6379", "kafka": "a:9092,b:9092", "elasticsearch": "https://search:9200", "smtp": "mail.example:465",
		"smtpTLS": "tls",
	}})
	for key := range o {
		if strings.HasPrefix(key, "StatefulSet/") {
			t.Errorf("%s is rendered although the backends are elsewhere", key)
		}
	}
	data := get[*corev1.ConfigMap](t, o, "ConfigMap/kreislauf").Data
	got := []string{data["KREISLAUF_REDIS_ADDR"], data["KREISLAUF_KAFKA_BROKERS"], data["KREISLAUF_ELASTICSEARCH_URL"], data["KREISLAUF_SMTP_ADDR"], data["KREISLAUF_SMTP_TLS"]}
	if diff := cmp.Diff([]string{"redis.data:6379", "a:9092,b:9092", "https://search:9200", "mail.example:465", "tls"}, got); diff != "" {
		t.Errorf("addresses (-want +got)\n%s", diff)
	}
}

// A release of the services leaves the backends alone when their tag stays.
func TestEmbeddedBackendsKeepTheirTag(t *testing.T) {
	with := func(tag string) objects {
		return mustRender(t, "apps", map[string]any{"image": map[string]any{"tag": tag}, "backends": map[string]any{"tag": "v1"}})
	}
	old, next := with("v1"), with("v2")
	for name := range backends {
		was, is := get[*appsv1.StatefulSet](t, old, "StatefulSet/"+name), get[*appsv1.StatefulSet](t, next, "StatefulSet/"+name)
		if diff := cmp.Diff(was.Spec.Template, is.Spec.Template); diff != "" {
			t.Errorf("%s restarts (-v1 +v2)\n%s", name, diff)
		}
	}
	if image := only(t, get[*appsv1.Deployment](t, next, "Deployment/order").Spec.Template.Spec).Image; image != "kreislauf.local/kreislauf:v2" {
		t.Errorf("order runs %s", image)
	}
}
