package verb

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// json returns what values are in a body.
func (in Input) json(values []string) (jsontext.Value, error) {
	switch in.Kind {
	case List:
		return array(values, func(s string) (jsontext.Value, error) { return scalar(in.of, s, in.quoted) })
	case Objects:
		return array(values, func(s string) (jsontext.Value, error) { return objectOf(in.of, s) })
	case Map:
		out := members{}
		for _, value := range values {
			name, text, ok := strings.Cut(value, "=")
			if !ok || name == "" {
				return nil, fmt.Errorf("%q is not name=value", value)
			}
			if _, twice := out[name]; twice {
				return nil, fmt.Errorf("%q is there twice", name)
			}
			raw, err := scalar(in.of, text, in.quoted)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = raw
		}
		return json.Marshal(out, json.Deterministic(true))
	default:
		return scalar(in.of, values[0], in.quoted)
	}
}

func array(values []string, one func(string) (jsontext.Value, error)) (jsontext.Value, error) {
	out := []jsontext.Value{}
	for _, value := range values {
		if value == "" { // --group= is the empty list
			continue
		}
		raw, err := one(value)
		if err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return json.Marshal(out)
}

// scalar returns the JSON value of a text, as a type reads it.
func scalar(t reflect.Type, text string, quoted bool) (jsontext.Value, error) {
	if t.Kind() == reflect.Pointer {
		return scalar(t.Elem(), text, quoted)
	}
	if t == reflect.TypeFor[uuid.UUID]() {
		if _, err := uuid.Parse(text); err != nil {
			return nil, fmt.Errorf("%q is no id: lists and --field id tell ids", text)
		}
	}
	raw := jsontext.Value(text)
	switch t.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return raw, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("%q is no whole number", text)
		}
		if quoted {
			break
		}
		return raw, nil
	case reflect.Float32, reflect.Float64:
		if !raw.IsValid() || raw.Kind() != '0' {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return raw, nil
	default:
		if t == reflect.TypeFor[jsontext.Value]() {
			if !raw.IsValid() {
				return nil, errors.New("is no JSON value")
			}
			return raw, nil
		}
	}
	return jsontext.AppendQuote(nil, text)
}

// objectOf returns the JSON object of member=value,member=value, or of JSON. What
// stands between commas and has no = belongs to the value before.
func objectOf(t reflect.Type, text string) (jsontext.Value, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if raw := jsontext.Value(text); raw.IsValid() {
			return raw, nil
		}
		return nil, errors.New("is no JSON object")
	}
	var names, values []string
	for _, part := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case ok:
			names, values = append(names, strings.TrimSpace(name)), append(values, value)
		case len(values) > 0:
			values[len(values)-1] += "," + part
		default:
			return nil, fmt.Errorf("%q is not member=value", part)
		}
	}
	out := members{}
	for i, name := range names {
		f, ok := field(t, name)
		if !ok {
			return nil, fmt.Errorf("%q is no member; write text that holds commas and = as a JSON object", name)
		}
		raw, err := scalar(f, values[i], false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		out[name] = raw
	}
	return json.Marshal(out, json.Deterministic(true))
}

// field returns the type of a member of an object.
func field(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if n, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); n == name {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}
