package record

import "math/bits"

// Key names a value of a line that routing or enrichment needs.
type Key uint8

// The known keys. Their names are the dotted paths in the contract of lines.
const (
	Timestamp Key = iota
	Msec
	ServiceName
	Env
	Customer
	LogLevel
	Logger
	StreamType
	StreamDataset
	StreamNamespace
	EventID
	EventAction
	EventDataset
	EventCreated
	EventDuration
	EventOutcome
	FilePath
	FileOffset
	RemoteAddr
	ForwardedFor
	RequestTime
	Status
	Method
	Domain
	UserAgent
	UpstreamAddr
	UpstreamStatus
	UpstreamConnectTime
	UpstreamHeaderTime
	UpstreamResponseTime
	SourceIP
	SourceNetwork
	SourceGeo      // any key at or under source.geo
	NginxUpstream  // any key at or under nginx.access.upstream
	KubernetesName // any key at or under kubernetes
	UserAgentParts // any key under user_agent but original
	Labels         // any key at or under labels
	Agent          // any key at or under agent
	Tags
	Message
	IOStream
	ServiceAlias // service.name, another name of service_name
	EnvAlias     // service.environment, another name of env
	OriginalURL
	Path
	HTTPVersion
	Referrer
	BodyBytes
	UserName
	numKeys
	noKey Key = 255
)

// Keys is a set of keys: bit k is there for Key k.
type Keys uint64

// First returns the first key of a set that is not empty.
func (k Keys) First() Key { return Key(bits.TrailingZeros64(uint64(k))) }

// lookup returns the key with the dotted path, or noKey.
func lookup(path []byte) Key {
	switch string(path) {
	case "@timestamp":
		return Timestamp
	case "msec":
		return Msec
	case "service_name":
		return ServiceName
	case "env":
		return Env
	case "customer":
		return Customer
	case "log.level":
		return LogLevel
	case "log.logger":
		return Logger
	case "data_stream.type":
		return StreamType
	case "data_stream.dataset":
		return StreamDataset
	case "data_stream.namespace":
		return StreamNamespace
	case "event.id":
		return EventID
	case "event.action":
		return EventAction
	case "event.dataset":
		return EventDataset
	case "event.created":
		return EventCreated
	case "event.duration":
		return EventDuration
	case "event.outcome":
		return EventOutcome
	case "log.file.path":
		return FilePath
	case "log.offset":
		return FileOffset
	case "remote_addr":
		return RemoteAddr
	case "x_forwarded_for":
		return ForwardedFor
	case "request_time":
		return RequestTime
	case "http.response.status_code":
		return Status
	case "http.request.method":
		return Method
	case "url.domain":
		return Domain
	case "user_agent.original":
		return UserAgent
	case "upstream_addr":
		return UpstreamAddr
	case "upstream_status":
		return UpstreamStatus
	case "upstream_connect_time":
		return UpstreamConnectTime
	case "upstream_header_time":
		return UpstreamHeaderTime
	case "upstream_response_time":
		return UpstreamResponseTime
	case "source.ip":
		return SourceIP
	case "source.network":
		return SourceNetwork
	case "tags":
		return Tags
	case "message":
		return Message
	case "log.iostream":
		return IOStream
	case "service.name":
		return ServiceAlias
	case "service.environment":
		return EnvAlias
	case "url.original":
		return OriginalURL
	case "url.path":
		return Path
	case "http.version":
		return HTTPVersion
	case "http.request.referrer":
		return Referrer
	case "http.response.body.bytes":
		return BodyBytes
	case "user.name":
		return UserName
	}
	return lookupTree(path)
}

// KeyOf returns the key with the dotted path; ok is false when it is none that Scan notes.
func KeyOf(path []byte) (k Key, ok bool) {
	k = lookup(path)
	return k, k != noKey
}

func lookupTree(path []byte) Key {
	switch {
	case within(path, "source.geo"):
		return SourceGeo
	case within(path, "nginx.access.upstream"):
		return NginxUpstream
	case within(path, "kubernetes"):
		return KubernetesName
	case len(path) > len("user_agent.") && string(path[:len("user_agent.")]) == "user_agent.":
		return UserAgentParts
	case within(path, "labels"):
		return Labels
	case within(path, "agent"):
		return Agent
	}
	return noKey
}

// within reports whether path is root or a path below it.
func within(path []byte, root string) bool {
	return len(path) >= len(root) && string(path[:len(root)]) == root && (len(path) == len(root) || path[len(root)] == '.')
}

// parent reports whether the object at this path may hold known keys.
func parent(path []byte) bool {
	switch string(path) {
	case "event", "data_stream", "log", "source", "http", "nginx", "kubernetes",
		"log.file", "http.response", "nginx.access", "http.request", "url", "user_agent", "service", "http.response.body", "user":
		return true
	}
	return false
}
