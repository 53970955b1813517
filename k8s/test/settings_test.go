package charts

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestSettingsAreKnownToTheProgram(t *testing.T) {
	sources := goSources(t)
	known := func(name string) bool {
		return !strings.HasPrefix(name, "KREISLAUF_") || strings.Contains(sources, `"`+name+`"`)
	}
	for _, chart := range []string{"apps", "daemonsets"} {
		for key, object := range mustRender(t, chart, nil) {
			if m, ok := object.(*corev1.ConfigMap); ok {
				for name := range m.Data {
					if !known(name) {
						t.Errorf("%s %s: no program reads %s", chart, key, name)
					}
				}
			}
			template, _, ok := podOf(object)
			if !ok {
				continue
			}
			for _, e := range only(t, template.Spec).Env {
				if !known(e.Name) {
					t.Errorf("%s %s: no program reads %s", chart, key, e.Name)
				}
			}
		}
	}
}

// The platform version is that of the sources on every process, nginx and logship included; each service has its own beside it.
func TestVersionsReachEveryProcess(t *testing.T) {
	want := serviceTable(t)
	for _, tc := range []struct {
		given, platform string
		own             bool // whether the services are told their own versions
	}{{"", want.Platform, true}, {"2026.12-rc1", "2026.12-rc1", false}} {
		values := map[string]any{"platformVersion": tc.given}
		apps, daemons := mustRender(t, "apps", values), mustRender(t, "daemonsets", values)
		for what, got := range map[string]string{
			"apps":    get[*corev1.ConfigMap](t, apps, "ConfigMap/kreislauf").Data["KREISLAUF_PLATFORM_VERSION"],
			"logship": get[*corev1.ConfigMap](t, daemons, "ConfigMap/logship").Data["KREISLAUF_PLATFORM_VERSION"],
		} {
			if got != tc.platform {
				t.Errorf("%q given: %s has %q, want %q", tc.given, what, got, tc.platform)
			}
		}
		if conf := get[*corev1.ConfigMap](t, apps, "ConfigMap/nginx").Data["nginx.conf"]; !strings.Contains(conf, `"platform_version":"`+tc.platform+`"`) {
			t.Errorf("%q given: nginx.conf does not have %s", tc.given, tc.platform)
		}
		for name, s := range want.Services {
			pod := get[*appsv1.Deployment](t, apps, "Deployment/"+name).Spec.Template
			told := slices.ContainsFunc(only(t, pod.Spec).Env, func(e corev1.EnvVar) bool {
				return e.Name == "KREISLAUF_SERVICE_VERSION" && e.ValueFrom.FieldRef.FieldPath == "metadata.annotations['kreislauf/service-version']"
			}) && pod.Annotations["kreislauf/service-version"] == s.Version
			if told != tc.own {
				t.Errorf("%q given: %s is told its version: %v, want %v", tc.given, name, told, tc.own)
			}
		}
	}
}

func TestAppsSettings(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"env": "prod", "config": map[string]any{"KREISLAUF_DRAIN": "6s"}})
	want := map[string]string{
		"KREISLAUF_ENV": "prod", "KREISLAUF_CUSTOMER": "kreislauf", "KREISLAUF_PLATFORM_VERSION": serviceTable(t).Platform,
		"KREISLAUF_HTTP_ADDR": "0.0.0.0:8080", "KREISLAUF_INTERNAL_ADDR": "0.0.0.0:8081", "KREISLAUF_LOG_DIR": "", "KREISLAUF_DRAIN": "6s",
		"KREISLAUF_PARTNERS_FILE": "/config/partners.json", "KREISLAUF_COMPANY_FILE": "/config/company.json", "KREISLAUF_REDIS_ADDR": "redis:6379", "KREISLAUF_KAFKA_BROKERS": "kafkad:9092",
		"KREISLAUF_ELASTICSEARCH_URL": "http://engine:9200", "KREISLAUF_SMTP_ADDR": "mailbox:1025", "KREISLAUF_SMTP_TLS": "none",
		"KREISLAUF_MAIL_FROM": "kreislauf <kreislauf@localhost>", "KREISLAUF_PUBLIC_URL": "http://localhost:30080", "KREISLAUF_BLOB_URL": "none", "KREISLAUF_DOCUMENTS_URL": "none",
	}
	if diff := cmp.Diff(want, get[*corev1.ConfigMap](t, o, "ConfigMap/kreislauf").Data); diff != "" {
		t.Errorf("ConfigMap (-want +got)\n%s", diff)
	}
	pod := get[*appsv1.Deployment](t, o, "Deployment/identity").Spec.Template.Spec
	instance := slices.IndexFunc(only(t, pod).Env, func(e corev1.EnvVar) bool {
		return e.Name == "KREISLAUF_INSTANCE" && e.ValueFrom.FieldRef.FieldPath == "metadata.name"
	})
	if instance < 0 || only(t, pod).EnvFrom[0].ConfigMapRef.Name != "kreislauf" {
		t.Errorf("environment %+v", only(t, pod))
	}
}

// A process sees the secrets that it reads and no other.
func TestAppsSecretsByService(t *testing.T) {
	o := mustRender(t, "apps", nil)
	for name, want := range map[string][]string{
		"identity":   {"KREISLAUF_INVITE_KEY", "KREISLAUF_MAIL_KEY", "KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD"},
		"customer":   {"KREISLAUF_LINK_KEY", "KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD"},
		"pricing":    {"KREISLAUF_MONGODB_URI", "KREISLAUF_QUOTE_KEY"},
		"order":      {"KREISLAUF_MONGODB_URI", "KREISLAUF_QUOTE_KEY", "KREISLAUF_REDIS_PASSWORD"},
		"matching":   {"KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD"},
		"disposer":   {"KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD"},
		"payment":    {"KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD"},
		"statistics": {"KREISLAUF_MONGODB_URI"},
		"mailing":    {"KREISLAUF_MAIL_KEY", "KREISLAUF_MONGODB_URI", "KREISLAUF_REDIS_PASSWORD", "KREISLAUF_SMTP_PASSWORD", "KREISLAUF_SMTP_USER"},
		"mailbox":    nil,
		"nginx":      nil,
		"mongod":     {"KREISLAUF_MONGOD_USERS"},
		"kafkad":     nil,
		"redis":      {"KREISLAUF_REDIS_PASSWORD"},
	} {
		var pod corev1.PodSpec
		if _, backend := backends[name]; backend {
			pod = get[*appsv1.StatefulSet](t, o, "StatefulSet/"+name).Spec.Template.Spec
		} else {
			pod = get[*appsv1.Deployment](t, o, "Deployment/"+name).Spec.Template.Spec
		}
		var got []string
		for _, e := range only(t, pod).Env {
			if e.ValueFrom.SecretKeyRef != nil {
				got = append(got, e.Name)
				key := e.Name
				if key == "KREISLAUF_MONGODB_URI" { // each service has its own user
					key += "_" + strings.ToUpper(name)
				}
				if e.ValueFrom.SecretKeyRef.Name != "kreislauf" || e.ValueFrom.SecretKeyRef.Key != key {
					t.Errorf("%s: %s comes from %+v", name, e.Name, e.ValueFrom.SecretKeyRef)
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestAppsFilesReachTheirPods(t *testing.T) {
	o := mustRender(t, "apps", map[string]any{"env": "prod", "customer": "acme"})
	conf, err := os.ReadFile("testdata/apps/files/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("@env@", "prod", "@customer@", "acme", "@version@", serviceTable(t).Platform).Replace(string(conf))
	got := get[*corev1.ConfigMap](t, o, "ConfigMap/nginx").Data["nginx.conf"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nginx.conf (-want +got)\n%s", diff)
	}
	if left := regexp.MustCompile(`@[a-z]+@`).FindString(got); left != "" {
		t.Errorf("the placeholder %s is left", left)
	}
	for _, name := range []string{"partners", "company"} {
		file, err := os.ReadFile("testdata/apps/files/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimRight(get[*corev1.ConfigMap](t, o, "ConfigMap/"+name).Data[name+".json"], "\n")
		if diff := cmp.Diff(strings.TrimRight(string(file), "\n"), text); diff != "" {
			t.Errorf("%s.json (-want +got)\n%s", name, diff)
		}
	}
	for _, name := range []string{"disposer", "payment", "nginx"} {
		pod := get[*appsv1.Deployment](t, o, "Deployment/"+name).Spec.Template
		c := only(t, pod.Spec)
		if len(c.VolumeMounts) == 0 || c.VolumeMounts[0].MountPath != "/config" || !c.VolumeMounts[0].ReadOnly || pod.Spec.Volumes[0].ConfigMap == nil {
			t.Errorf("%s: mounts %+v", name, c.VolumeMounts)
		}
	}
	before := mustRender(t, "apps", nil)
	for key, object := range o {
		if d, ok := object.(*appsv1.Deployment); ok && cmp.Equal(d.Spec.Template.Annotations, get[*appsv1.Deployment](t, before, key).Spec.Template.Annotations) {
			t.Errorf("a changed configuration does not restart %s", key)
		}
	}
}
