package charts

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

// objects are the decoded documents of a rendered chart by "Kind/name".
type objects map[string]runtime.Object

// render renders a chart as `helm template kreislauf <chart> -n kreislauf` would, with values over the chart's own.
func render(chart string, values map[string]any) (objects, error) {
	loaded, err := loader.Load("testdata/" + chart)
	if err != nil {
		return nil, fmt.Errorf("load chart: %w", err)
	}
	release := common.ReleaseOptions{Name: "kreislauf", Namespace: "kreislauf", Revision: 1, IsInstall: true}
	top, err := util.ToRenderValues(loaded, values, release, common.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("check values: %w", err)
	}
	files, err := engine.Engine{Strict: true}.RenderWithContext(context.Background(), loaded, top)
	if err != nil {
		return nil, fmt.Errorf("render chart: %w", err)
	}
	all := objects{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".tpl") {
			continue
		}
		if err := all.decode(files[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// decode adds the documents of one file. Unknown and repeated fields are errors, and so is a document that is there twice.
func (o objects) decode(text string) error {
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	docs := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	defer docs.Close()
	buf := make([]byte, 1<<20)
	for {
		n, err := docs.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("split documents: %w", err)
		}
		if blank(buf[:n]) {
			continue
		}
		object, kind, err := strict.Decode(buf[:n], nil, nil)
		if err != nil {
			return fmt.Errorf("decode: %w\n%s", err, buf[:n])
		}
		key := kind.Kind + "/" + object.(metav1.Object).GetName()
		if o[key] != nil {
			return fmt.Errorf("%s is there twice", key)
		}
		o[key] = object
	}
}

// blank reports whether a document is nothing but comments and white space.
func blank(doc []byte) bool {
	for line := range strings.Lines(string(doc)) {
		if line = strings.TrimSpace(line); line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// mustRender fails the test when the chart does not render and decode.
func mustRender(t *testing.T, chart string, values map[string]any) objects {
	t.Helper()
	o, err := render(chart, values)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// get returns the object of a kind and name; the test fails when it is not there.
func get[T runtime.Object](t *testing.T, o objects, key string) T {
	t.Helper()
	object, ok := o[key].(T)
	if !ok {
		t.Fatalf("%s is not rendered; there are %v", key, slices.Sorted(maps.Keys(o)))
	}
	return object
}

// only returns the single container of a pod.
func only(t *testing.T, pod corev1.PodSpec) corev1.Container {
	t.Helper()
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 {
		t.Fatalf("%d containers and %d init containers, want 1 and 0", len(pod.Containers), len(pod.InitContainers))
	}
	return pod.Containers[0]
}
