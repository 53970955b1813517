package enrich

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
)

// Kind says how the lines of a file are read.
type Kind uint8

// The kinds of files.
const (
	Service       Kind = iota // JSON lines of a service
	NginxAccess               // JSON lines of the nginx access log
	NginxError                // text lines of the nginx error log
	Container                 // lines of a container runtime
	NginxCombined             // text lines of the nginx access log
	Text                      // text, perhaps of several lines
	Syslog                    // messages of syslog
	Journal                   // entries of the journal of systemd, exported as JSON
)

// IdentitySize is the length of a file identity in bytes. Together with six bytes of offset it makes a
// document id of 24 characters.
const IdentitySize = 12

// Source is what the configuration and the path of a file say about its lines. A field is empty when they do not say it.
type Source struct {
	Kind Kind
	// Dataset is for lines that neither name one nor match a route.
	Dataset string
	// Env, Customer and Service are for lines that have none of their own.
	Env, Customer, Service string
	// Version is the platform version of whoever writes the file, for lines that cannot say it.
	Version string
	// Received says that each line of a Syslog begins with when it came and who sent it, see ReceivedLine.
	Received bool
	// Names are the foreign names of fields in the lines; nil stands for those that are common for the kind.
	Names *Names
	// Labels are added to lines that have none.
	Labels map[string]string
	// Namespace, Pod, PodUID, Container and Restarts are of Kubernetes, ContainerID is of Docker.
	Namespace, Pod, PodUID, Container, Restarts, ContainerID string
}

// Origin is a file as the documents show it: its source and its identity, rendered once.
type Origin struct {
	source Source
	path   string
	id     [IdentitySize * 4 / 3]byte
	file   []byte // ,"log.file.path":"...","log.offset":
	kube   []byte // ,"kubernetes.namespace":"..." and so on
	labels []byte // ,"labels.x":"..." and so on
	// routeKey is what the rules look at in the source, made by the router.
	routeKey []byte
	// Added to a line that does not have the field: ,"service_name":"..."
	service, env, customer, version []byte
}

// NewOrigin renders what is the same in all documents of a file.
func NewOrigin(source Source, path string, identity [IdentitySize]byte) *Origin {
	o := &Origin{source: source, path: path}
	base64.RawURLEncoding.Encode(o.id[:], identity[:])
	o.file = append(appendField(nil, "log.file.path", path), `,"log.offset":`...)
	o.service = appendKnown(nil, "service_name", source.Service)
	o.env = appendKnown(nil, "env", source.Env)
	o.customer = appendKnown(nil, "customer", source.Customer)
	o.version = appendKnown(nil, "platform_version", source.Version)
	o.kube = appendKnown(o.kube, "kubernetes.namespace", source.Namespace)
	o.kube = appendKnown(o.kube, "kubernetes.pod.name", source.Pod)
	o.kube = appendKnown(o.kube, "kubernetes.pod.uid", source.PodUID)
	o.kube = appendKnown(o.kube, "kubernetes.container.name", source.Container)
	if n, err := strconv.ParseUint(source.Restarts, 10, 32); err == nil {
		o.kube = strconv.AppendUint(append(o.kube, `,"kubernetes.container.restart_count":`...), n, 10)
	}
	o.kube = appendKnown(o.kube, "container.id", source.ContainerID)
	for _, name := range slices.Sorted(maps.Keys(source.Labels)) {
		o.labels = appendField(o.labels, "labels."+name, source.Labels[name])
	}
	return o
}

// appendIdentity appends service, environment, customer and labels to the document of a line that is not a JSON object.
func (o *Origin) appendIdentity(dst []byte) []byte {
	dst = append(append(dst, o.service...), o.env...)
	return append(append(append(dst, o.customer...), o.version...), o.labels...)
}

func appendKnown(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendField(dst, name, value)
}

// appendID appends the document id of the line at offset.
func (o *Origin) appendID(dst []byte, offset int64) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" // base64url
	dst = append(dst, o.id[:]...)
	var text [8]byte
	for i := range text {
		text[i] = alphabet[offset>>(42-6*i)&63]
	}
	return append(dst, text[:]...)
}
