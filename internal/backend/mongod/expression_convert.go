package mongod

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

func convertOperators() []entry[operatorParser] {
	return []entry[operatorParser]{
		{name: "$type", parse: function(1, 1, func(_ string, args []value) (value, error) { return stringValue(kindName(args[0].kind)), nil })},
		{name: "$isNumber", parse: function(1, 1, func(_ string, args []value) (value, error) { return boolValue(args[0].numeric()), nil })},
		{name: "$toString", parse: strictFunction(1, 1, evalToString)},
		{name: "$toInt", parse: strictFunction(1, 1, evalToInteger)},
		{name: "$toLong", parse: strictFunction(1, 1, evalToInteger)},
		{name: "$toDouble", parse: strictFunction(1, 1, evalToDouble)},
		{name: "$toBool", parse: strictFunction(1, 1, func(_ string, args []value) (value, error) { return boolValue(args[0].truthy()), nil })},
		{name: "$toDate", parse: strictFunction(1, 1, evalToDate), note: "of strings only ISO 8601"},
		{name: "$toObjectId", parse: strictFunction(1, 1, evalToObjectID)},
	}
}

func cannotConvert(v value, to string) error {
	return failure(codeConversionFailure, "Unsupported conversion from %s to %s in $convert with no onError value", kindName(v.kind), to)
}

func numberText(v value) string {
	switch v.kind {
	case kindDouble:
		f := v.double()
		switch {
		case math.IsNaN(f):
			return "NaN"
		case math.IsInf(f, 1):
			return "Infinity"
		case math.IsInf(f, -1):
			return "-Infinity"
		case f == math.Trunc(f) && math.Abs(f) < 1e15:
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		return strconv.FormatFloat(f, 'g', -1, 64)
	default:
		return v.String()
	}
}

func evalToString(_ string, args []value) (value, error) {
	switch v := args[0]; v.kind {
	case kindString:
		return v, nil
	case kindInt32, kindInt64, kindDouble, kindDecimal:
		return stringValue(numberText(v)), nil
	case kindBool:
		return stringValue(v.String()), nil
	case kindObjectID:
		return stringValue(hex.EncodeToString(v.data)), nil
	case kindDate:
		return stringValue(isoDate(v)), nil
	default:
		return value{}, cannotConvert(v, "string")
	}
}

func evalToInteger(name string, args []value) (value, error) {
	long := name == "$toLong"
	to := "int"
	if long {
		to = "long"
	}
	make := func(n int64, v value) (value, error) {
		if long {
			return int64Value(n), nil
		}
		if n != int64(int32(n)) {
			return value{}, failure(codeConversionFailure, "Conversion would overflow target type in $convert with no onError value: %s", numberText(v))
		}
		return int32Value(int32(n)), nil
	}
	switch v := args[0]; v.kind {
	case kindBool:
		return make(int64(v.data[0]), v)
	case kindInt32, kindInt64:
		n, _ := v.integer()
		return make(n, v)
	case kindDouble, kindDecimal:
		f := math.Trunc(v.float())
		switch {
		case math.IsNaN(f):
			return value{}, failure(codeConversionFailure, "Attempt to convert NaN value to integer type in $convert with no onError value")
		case math.IsInf(f, 0):
			return value{}, failure(codeConversionFailure, "Attempt to convert infinity value to integer type in $convert with no onError value")
		case f >= 1<<63 || f < -(1<<63):
			return value{}, failure(codeConversionFailure, "Conversion would overflow target type in $convert with no onError value: %s", numberText(v))
		}
		return make(int64(f), v)
	case kindDate:
		if !long {
			return value{}, cannotConvert(v, to)
		}
		return int64Value(v.int64()), nil
	case kindString:
		n, err := strconv.ParseInt(v.text(), 10, 64)
		if err != nil {
			return value{}, failedParse(v, parseReason(v.text(), err))
		}
		if !long && n != int64(int32(n)) {
			return value{}, failedParse(v, "Overflow")
		}
		return make(n, v)
	default:
		return value{}, cannotConvert(v, to)
	}
}

func failedParse(v value, reason string) error {
	return failure(codeConversionFailure, "Failed to parse number '%s' in $convert with no onError value: %s", v.text(), reason)
}

func parseReason(text string, err error) string {
	switch {
	case text == "":
		return "No digits"
	case strings.Contains(err.Error(), "range"):
		return "Overflow"
	default:
		return "Did not consume whole string."
	}
}

func evalToDouble(_ string, args []value) (value, error) {
	switch v := args[0]; v.kind {
	case kindInt32, kindInt64, kindDouble, kindDecimal:
		return doubleValue(v.float()), nil
	case kindBool:
		return doubleValue(float64(v.data[0])), nil
	case kindDate:
		return doubleValue(float64(v.int64())), nil
	case kindString:
		f, err := strconv.ParseFloat(v.text(), 64)
		if err != nil || strings.ContainsAny(v.text(), "xX_pP") {
			reason := "Invalid number"
			if v.text() == "" {
				reason = "Empty string"
			}
			return value{}, failedParse(v, reason)
		}
		return doubleValue(f), nil
	default:
		return value{}, cannotConvert(v, "double")
	}
}

func evalToDate(_ string, args []value) (value, error) {
	switch v := args[0]; v.kind {
	case kindDate:
		return v, nil
	case kindInt64, kindDouble, kindDecimal:
		return dateFromMillis(v), nil
	case kindObjectID, kindTimestamp:
		t, _ := timeOf(v)
		return dateValue(t), nil
	case kindString:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999Z0700", "2006-01-02 15:04:05.999", "2006-01-02T15:04", "2006-01-02"} {
			if t, err := time.Parse(layout, v.text()); err == nil {
				return dateValue(t), nil
			}
		}
		return value{}, failure(codeConversionFailure, "an incomplete date/time string has been found, with elements missing: \"%s\"", v.text())
	default:
		return value{}, cannotConvert(v, "date")
	}
}

func evalToObjectID(_ string, args []value) (value, error) {
	switch v := args[0]; v.kind {
	case kindObjectID:
		return v, nil
	case kindString:
		id, err := hex.DecodeString(v.text())
		if err != nil || len(id) != 12 {
			return value{}, failure(codeConversionFailure, "Failed to parse objectId '%s' in $convert with no onError value: Invalid string length for parsing to OID, expected 24 but found %d", v.text(), len(v.text()))
		}
		return objectIDValue([12]byte(id)), nil
	default:
		return value{}, cannotConvert(v, "objectId")
	}
}
