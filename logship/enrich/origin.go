package enrich

import "encoding/base64"

// Kind says how the lines of a file are read.
type Kind uint8

// The kinds of files.
const (
	Service     Kind = iota // JSON lines of a service
	NginxAccess             // JSON lines of the nginx access log
	NginxError              // text lines of the nginx error log
	Container               // lines of a container runtime
)

// IdentitySize is the length of a file identity in bytes. Together with six bytes of offset it makes a
// document id of 24 characters.
const IdentitySize = 12

// Source is what the path of a file says about its lines.
type Source struct {
	Kind Kind
	// Env, Customer and Service are the folders of the log tree. For containers Env and Customer are configured,
	// Customer perhaps not, and Service is empty.
	Env, Customer, Service string
	// Namespace, Pod and Container are set for containers.
	Namespace, Pod, Container string
}

// Origin is a file as the documents show it: its source and its identity, rendered once.
type Origin struct {
	source  Source
	id      [IdentitySize * 4 / 3]byte
	file    []byte // ,"log.file.path":"...","log.offset":
	kube    []byte // ,"kubernetes.namespace":"..." and so on
	service []byte // ,"service_name":"..." and so on, for lines that are wrapped
}

// NewOrigin renders what is the same in all documents of a file.
func NewOrigin(source Source, path string, identity [IdentitySize]byte) *Origin {
	o := &Origin{source: source}
	base64.RawURLEncoding.Encode(o.id[:], identity[:])
	o.file = append(appendField(nil, "log.file.path", path), `,"log.offset":`...)
	if source.Kind == Container {
		o.kube = appendField(o.kube, "kubernetes.namespace", source.Namespace)
		o.kube = appendField(o.kube, "kubernetes.pod.name", source.Pod)
		o.kube = appendField(o.kube, "kubernetes.container.name", source.Container)
		o.service = appendField(o.service, "env", source.Env)
		if source.Customer != "" {
			o.service = appendField(o.service, "customer", source.Customer)
		}
		return o
	}
	o.service = appendField(o.service, "service_name", source.Service)
	o.service = appendField(o.service, "env", source.Env)
	o.service = appendField(o.service, "customer", source.Customer)
	return o
}

// appendID appends the document id of the line at offset.
func (o *Origin) appendID(dst []byte, offset int64) []byte {
	dst = append(dst, o.id[:]...)
	raw := [6]byte{byte(offset >> 40), byte(offset >> 32), byte(offset >> 24), byte(offset >> 16), byte(offset >> 8), byte(offset)}
	var text [8]byte
	base64.RawURLEncoding.Encode(text[:], raw[:])
	return append(dst, text[:]...)
}
