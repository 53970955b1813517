package mongod

import (
	"errors"
	"fmt"
	"strconv"
)

// MongoDB's error codes that this server uses.
const (
	codeInternalError         = 1
	codeBadValue              = 2
	codeFailedToParse         = 9
	codeUserNotFound          = 11
	codeUnauthorized          = 13
	codeTypeMismatch          = 14
	codeOverflow              = 15
	codeInvalidLength         = 16
	codeProtocolError         = 17
	codeAuthenticationFailed  = 18
	codeIllegalOperation      = 20
	codeNamespaceNotFound     = 26
	codeIndexNotFound         = 27
	codePathNotViable         = 28
	codeRoleNotFound          = 31
	codeConflictingUpdate     = 40
	codeMaxTimeExpired        = 50
	codeCursorNotFound        = 43
	codeNamespaceExists       = 48
	codeDollarPrefixed        = 52
	codeInvalidIDField        = 53
	codeNotSingleValue        = 54
	codeEmptyFieldName        = 56
	codeCommandNotFound       = 59
	codeImmutableField        = 66
	codeCannotCreateIndex     = 67
	codeIndexAlreadyExists    = 68
	codeInvalidOptions        = 72
	codeInvalidNamespace      = 73
	codeIndexOptionsConflict  = 85
	codeIndexKeySpecsConflict = 86
	codeNotAReplicaSet        = 123
	codeParallelArrays        = 171
	codeInvalidOperator       = 168
	codeInvalidIndexOption    = 197
	codeNoQueryPlan           = 291
	codeConversionFailure     = 241
	codeQueryPlanKilled       = 175
	codeNotImplemented        = 238
	codeMemoryLimit           = 292
	codeMechanismUnavailable  = 334
	codeObjectTooLarge        = 10334
	codeDuplicateKey          = 11000
	codeOutOfDiskSpace        = 14031
	codeGroupOperator         = 15952
	codeKeyTooLong            = 17280
	codeResultTooLarge        = 17419
	codeUnknownStage          = 40324
	codeMissingField          = 40414
	codeUnknownField          = 40415
	codeInvalidRegex          = 51091
	codeRegexFlag             = 51108
)

// codeName returns MongoDB's name of a code; a code without a name is called by its location.
func codeName(code int) string {
	switch code {
	case codeInternalError:
		return "InternalError"
	case codeBadValue:
		return "BadValue"
	case codeFailedToParse:
		return "FailedToParse"
	case codeUserNotFound:
		return "UserNotFound"
	case codeProtocolError:
		return "ProtocolError"
	case codeAuthenticationFailed:
		return "AuthenticationFailed"
	case codeRoleNotFound:
		return "RoleNotFound"
	case codeMechanismUnavailable:
		return "MechanismUnavailable"
	case codeOutOfDiskSpace:
		return "OutOfDiskSpace"
	case codeUnauthorized:
		return "Unauthorized"
	case codeMaxTimeExpired:
		return "MaxTimeMSExpired"
	case codeInvalidOperator:
		return "InvalidPipelineOperator"
	case codeNoQueryPlan:
		return "NoQueryExecutionPlans"
	case codeConversionFailure:
		return "ConversionFailure"
	case codeTypeMismatch:
		return "TypeMismatch"
	case codeOverflow:
		return "Overflow"
	case codeIllegalOperation:
		return "IllegalOperation"
	case codeNamespaceNotFound:
		return "NamespaceNotFound"
	case codeIndexNotFound:
		return "IndexNotFound"
	case codePathNotViable:
		return "PathNotViable"
	case codeConflictingUpdate:
		return "ConflictingUpdateOperators"
	case codeCursorNotFound:
		return "CursorNotFound"
	case codeNamespaceExists:
		return "NamespaceExists"
	case codeDollarPrefixed:
		return "DollarPrefixedFieldName"
	case codeInvalidIDField:
		return "InvalidIdField"
	case codeNotSingleValue:
		return "NotSingleValueField"
	case codeEmptyFieldName:
		return "EmptyFieldName"
	case codeCommandNotFound:
		return "CommandNotFound"
	case codeImmutableField:
		return "ImmutableField"
	case codeCannotCreateIndex:
		return "CannotCreateIndex"
	case codeIndexAlreadyExists:
		return "IndexAlreadyExists"
	case codeInvalidOptions:
		return "InvalidOptions"
	case codeInvalidNamespace:
		return "InvalidNamespace"
	case codeIndexOptionsConflict:
		return "IndexOptionsConflict"
	case codeIndexKeySpecsConflict:
		return "IndexKeySpecsConflict"
	case codeNotAReplicaSet:
		return "NotAReplicaSet"
	case codeParallelArrays:
		return "CannotIndexParallelArrays"
	case codeQueryPlanKilled:
		return "QueryPlanKilled"
	case codeInvalidIndexOption:
		return "InvalidIndexSpecificationOption"
	case codeNotImplemented:
		return "NotImplemented"
	case codeMemoryLimit:
		return "QueryExceededMemoryLimitNoDiskUseAllowed"
	case codeObjectTooLarge:
		return "BSONObjectTooLarge"
	case codeDuplicateKey:
		return "DuplicateKey"
	case codeInvalidLength:
		return "InvalidLength"
	case codeMissingField:
		return "IDLFailedToParse"
	case codeUnknownField:
		return "IDLUnknownField"
	default:
		return "Location" + strconv.Itoa(code)
	}
}

// commandError is an error that MongoDB would answer. A write that returns one has changed nothing in the document it concerns.
type commandError struct {
	code    int
	message string
	details document // extra fields of the reply, for example keyPattern and keyValue
	whole   bool     // no context goes before the message
}

func (e *commandError) Error() string { return e.message }

func failure(code int, format string, args ...any) *commandError {
	return &commandError{code: code, message: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) *commandError {
	return failure(codeNotImplemented, format+" is not supported by this server", args...)
}

// asCommandError turns any error into one for the client.
func asCommandError(err error) *commandError {
	var known *commandError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errTooDeep):
		return failure(codeOverflow, "BSONObj exceeds maximum nested object depth: %d", maxDepth)
	case errors.Is(err, errDecimal):
		return unsupported("Decimal128")
	}
	return failure(codeInternalError, "%s", err.Error())
}

// reply is the error as a command's answer.
func (e *commandError) reply() document {
	b := newDocument().add("ok", doubleValue(0)).str("errmsg", e.message).int32("code", e.code).str("codeName", codeName(e.code))
	return appendFields(b, e.details).done()
}

// writeError is the error as an element of writeErrors.
func (e *commandError) writeError(index int) document {
	b := newDocument().int32("index", index).int32("code", e.code).str("errmsg", e.message)
	return appendFields(b, e.details).done()
}

func appendFields(b *builder, d document) *builder {
	r := d.reader()
	for {
		name, v, ok := r.next()
		if !ok {
			return b
		}
		b.add(string(name), v)
	}
}

// during marks an error that came up while a plan ran, as MongoDB does; errors of the storage stay as they are, and so does the end
// of a command's time.
func during(what string, err error) error {
	var known *commandError
	if !errors.As(err, &known) || known.whole || known.code == codeNotImplemented || known.code == codeMaxTimeExpired {
		return err
	}
	return known.during(what)
}

func (e *commandError) during(what string) *commandError {
	marked := *e
	marked.message = what + " :: caused by :: " + e.message
	return &marked
}
