package charts

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A registry takes tags of up to 128 characters, a label only 63, and a label must not end in punctuation.
func TestLabelsOfLongTags(t *testing.T) {
	for _, tag := range []string{strings.Repeat("a", 70), strings.Repeat("v1.", 40) + "x", "_v1", strings.Repeat("b", 62) + "-rc1"} {
		for _, chart := range []string{"apps", "daemonsets"} {
			for name, o := range mustRender(t, chart, map[string]any{"image": map[string]any{"tag": tag}}) {
				for key, value := range o.(metav1.Object).GetLabels() {
					if wrong := validation.IsValidLabelValue(value); wrong != nil {
						t.Errorf("%s of %s, tag %q: label %s=%q: %v", name, chart, tag, key, value, wrong)
					}
				}
			}
		}
	}
}

func TestImagesByDigest(t *testing.T) {
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	apps := mustRender(t, "apps", map[string]any{
		"image":    map[string]any{"tag": "v2", "digests": map[string]any{"kreislauf": digest("a"), "nginx": digest("b")}},
		"backends": map[string]any{"tag": "v1", "digest": digest("c")},
	})
	logship := mustRender(t, "daemonsets", map[string]any{"image": map[string]any{"digest": digest("d")}})
	for name, images := range map[string][2]string{
		"order":   {only(t, get[*appsv1.Deployment](t, apps, "Deployment/order").Spec.Template.Spec).Image, "kreislauf.local/kreislauf:v2@" + digest("a")},
		"nginx":   {only(t, get[*appsv1.Deployment](t, apps, "Deployment/nginx").Spec.Template.Spec).Image, "kreislauf.local/nginx:v2@" + digest("b")},
		"mongod":  {only(t, get[*appsv1.StatefulSet](t, apps, "StatefulSet/mongod").Spec.Template.Spec).Image, "kreislauf.local/kreislauf:v1@" + digest("c")},
		"logship": {only(t, get[*appsv1.DaemonSet](t, logship, "DaemonSet/logship").Spec.Template.Spec).Image, "kreislauf.local/kreislauf:v1@" + digest("d")},
	} {
		if images[0] != images[1] {
			t.Errorf("%s runs %s; want %s", name, images[0], images[1])
		}
	}
	if _, err := render("daemonsets", map[string]any{"image": map[string]any{"digest": "sha256:abc"}}); err == nil {
		t.Error("half a digest was accepted")
	}
}
