// Package fault has the errors that clients see: MongoDB's codes, their names, and the shape of an error in an answer.
//
// An error that is not a *Error is one of the server itself; As makes it an InternalError, and the connection logs it.
package fault

import (
	"errors"
	"fmt"
	"strconv"

	"kreislauf/internal/backend/mongod/raw"
)

// The codes of MongoDB that this server uses.
const (
	InternalError         = 1
	BadValue              = 2
	FailedToParse         = 9
	Unauthorized          = 13
	TypeMismatch          = 14
	Overflow              = 15
	InvalidLength         = 16
	ProtocolError         = 17
	AuthenticationFailed  = 18
	IllegalOperation      = 20
	PathNotViable         = 28
	RoleNotFound          = 31
	ConflictingUpdate     = 40
	MaxTimeExpired        = 50
	CursorNotFound        = 43
	DollarPrefixed        = 52
	InvalidIDField        = 53
	NotSingleValue        = 54
	EmptyFieldName        = 56
	CommandNotFound       = 59
	ImmutableField        = 66
	CannotCreateIndex     = 67
	IndexAlreadyExists    = 68
	InvalidNamespace      = 73
	IndexOptionsConflict  = 85
	IndexKeySpecsConflict = 86
	NotAReplicaSet        = 123
	ParallelArrays        = 171
	InvalidOperator       = 168
	InvalidIndexOption    = 197
	QueryPlanKilled       = 175
	NotImplemented        = 238
	MemoryLimit           = 292
	MechanismUnavailable  = 334
	ObjectTooLarge        = 10334
	DuplicateKey          = 11000
	OutOfDiskSpace        = 14031
	GroupOperator         = 15952
	KeyTooLong            = 17280
	ResultTooLarge        = 17419
	UnknownStage          = 40324
	MissingField          = 40414
	UnknownField          = 40415
)

// CodeName returns MongoDB's name of a code; a code without a name is called by its location.
func CodeName(code int) string {
	switch code {
	case InternalError:
		return "InternalError"
	case BadValue:
		return "BadValue"
	case FailedToParse:
		return "FailedToParse"
	case ProtocolError:
		return "ProtocolError"
	case AuthenticationFailed:
		return "AuthenticationFailed"
	case RoleNotFound:
		return "RoleNotFound"
	case MechanismUnavailable:
		return "MechanismUnavailable"
	case OutOfDiskSpace:
		return "OutOfDiskSpace"
	case Unauthorized:
		return "Unauthorized"
	case MaxTimeExpired:
		return "MaxTimeMSExpired"
	case InvalidOperator:
		return "InvalidPipelineOperator"
	case TypeMismatch:
		return "TypeMismatch"
	case Overflow:
		return "Overflow"
	case IllegalOperation:
		return "IllegalOperation"
	case PathNotViable:
		return "PathNotViable"
	case ConflictingUpdate:
		return "ConflictingUpdateOperators"
	case CursorNotFound:
		return "CursorNotFound"
	case DollarPrefixed:
		return "DollarPrefixedFieldName"
	case InvalidIDField:
		return "InvalidIdField"
	case NotSingleValue:
		return "NotSingleValueField"
	case EmptyFieldName:
		return "EmptyFieldName"
	case CommandNotFound:
		return "CommandNotFound"
	case ImmutableField:
		return "ImmutableField"
	case CannotCreateIndex:
		return "CannotCreateIndex"
	case IndexAlreadyExists:
		return "IndexAlreadyExists"
	case InvalidNamespace:
		return "InvalidNamespace"
	case IndexOptionsConflict:
		return "IndexOptionsConflict"
	case IndexKeySpecsConflict:
		return "IndexKeySpecsConflict"
	case NotAReplicaSet:
		return "NotAReplicaSet"
	case ParallelArrays:
		return "CannotIndexParallelArrays"
	case QueryPlanKilled:
		return "QueryPlanKilled"
	case InvalidIndexOption:
		return "InvalidIndexSpecificationOption"
	case NotImplemented:
		return "NotImplemented"
	case MemoryLimit:
		return "QueryExceededMemoryLimitNoDiskUseAllowed"
	case ObjectTooLarge:
		return "BSONObjectTooLarge"
	case DuplicateKey:
		return "DuplicateKey"
	case InvalidLength:
		return "InvalidLength"
	case MissingField:
		return "IDLFailedToParse"
	case UnknownField:
		return "IDLUnknownField"
	default:
		return "Location" + strconv.Itoa(code)
	}
}

// Error is an error that MongoDB would answer. A write that returns one has changed nothing in the document it concerns.
type Error struct {
	Code    int
	Message string
	Details raw.Document // extra fields of the reply, for example keyPattern and keyValue
	Whole   bool         // no context goes before the message
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// New makes an error with one of the codes above, or with a number that only MongoDB's source knows.
func New(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unsupported is the error for a kind of value that MongoDB would take: NotImplemented.
func Unsupported(format string, args ...any) *Error {
	return New(NotImplemented, format+" is not supported by this server", args...)
}

// As turns any error into one for the client.
func As(err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, raw.ErrTooDeep):
		return New(Overflow, "BSONObj exceeds maximum nested object depth: %d", raw.MaxDepth)
	case errors.Is(err, raw.ErrDecimal):
		return Unsupported("Decimal128")
	}
	return New(InternalError, "%s", err.Error())
}

// Reply is the error as a command's answer.
func (e *Error) Reply() raw.Document {
	b := raw.New().Add("ok", raw.Double(0)).Str("errmsg", e.Message).Int32("code", e.Code).Str("codeName", CodeName(e.Code))
	return appendFields(b, e.Details).Done()
}

// WriteError is the error as an element of writeErrors.
func (e *Error) WriteError(index int) raw.Document {
	b := raw.New().Int32("index", index).Int32("code", e.Code).Str("errmsg", e.Message)
	return appendFields(b, e.Details).Done()
}

func appendFields(b *raw.Builder, d raw.Document) *raw.Builder {
	r := d.Reader()
	for {
		name, v, ok := r.Next()
		if !ok {
			return b
		}
		b.Add(string(name), v)
	}
}

// During marks an error that came up while a plan ran, as MongoDB does; errors of the storage stay as they are, and so does the end
// of a command's time.
func During(what string, err error) error {
	var known *Error
	if !errors.As(err, &known) || known.Whole || known.Code == NotImplemented || known.Code == MaxTimeExpired {
		return err
	}
	return known.during(what)
}

func (e *Error) during(what string) *Error {
	marked := *e
	marked.Message = what + " :: caused by :: " + e.Message
	return &marked
}
