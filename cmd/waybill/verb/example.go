package verb

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Example is the verb as one would type it, after "waybill": what the route's own
// example says, which is in the OpenAPI document as well. Secrets are asked for
// and do not stand in it.
func (v Verb) Example() ([]string, error) {
	body := members{}
	if v.Route.Example != nil {
		text, err := json.Marshal(v.Route.Example)
		if err == nil {
			err = json.Unmarshal(text, &body)
		}
		if err != nil {
			return nil, err
		}
	}
	words := strings.Fields(v.String())
	for _, in := range v.Inputs {
		values, err := v.sample(in, body)
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			switch {
			case in.Arg:
				words = append(words, value)
			case in.Kind == Switch && value == "true":
				words = append(words, "--"+in.Name)
			case in.Kind == Switch:
				words = append(words, "--"+in.Name+"=false")
			default:
				words = append(words, "--"+in.Name, value)
			}
		}
	}
	return words, nil
}

// sample returns the values of an input in the example.
func (v Verb) sample(in Input, body members) ([]string, error) {
	switch in.In {
	case "path":
		return []string{v.Route.Sample(in.Path[0])}, nil
	case "header":
		if in.Path[0] == "If-Match" {
			return []string{"7"}, nil
		}
		return nil, nil
	case "query":
		for _, p := range v.Route.Params {
			if p.In == in.In && p.Name == in.Path[0] && p.Example != "" {
				return []string{p.Example}, nil
			}
		}
		return nil, nil
	}
	raw := body.get(in.Path)
	if raw == nil || in.Kind == Secret {
		return nil, nil
	}
	switch in.Kind {
	case List:
		var list []jsontext.Value
		err := json.Unmarshal(raw, &list)
		return texts(list), err
	case Objects:
		var list []jsontext.Value
		err := json.Unmarshal(raw, &list)
		var out []string
		for _, one := range list {
			out = append(out, pairs(one))
		}
		return out, err
	case Map:
		var out []string
		err := each(raw, func(name string, value jsontext.Value) { out = append(out, name+"="+text(value)) })
		return out, err
	default:
		return []string{text(raw)}, nil
	}
}

func (o members) get(path []string) jsontext.Value {
	raw := o[path[0]]
	if raw == nil || len(path) == 1 {
		return raw
	}
	inner := members{}
	if json.Unmarshal(raw, &inner) != nil {
		return nil
	}
	return inner.get(path[1:])
}

// pairs writes an object as member=value,member=value, or as JSON where that
// would not be read as the same.
func pairs(raw jsontext.Value) string {
	var parts []string
	plain := true
	err := each(raw, func(name string, value jsontext.Value) {
		if kind := value.Kind(); kind == '{' || kind == '[' || strings.ContainsAny(text(value), ",=") {
			plain = false
		}
		parts = append(parts, name+"="+text(value))
	})
	if err != nil || !plain {
		return string(raw)
	}
	return strings.Join(parts, ",")
}

// each calls found for the members of an object in their order.
func each(raw jsontext.Value, found func(name string, value jsontext.Value)) error {
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		found(key, value.Clone())
	}
	return nil
}

func texts(list []jsontext.Value) []string {
	var out []string
	for _, one := range list {
		out = append(out, text(one))
	}
	return out
}

// text returns a JSON value as a person writes it: text without quotes.
func text(raw jsontext.Value) string {
	if raw.Kind() == '"' {
		if b, err := jsontext.AppendUnquote(nil, raw); err == nil {
			return string(b)
		}
	}
	return string(raw)
}

// Shell writes words as one line for a shell.
func Shell(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w != "" && !strings.ContainsFunc(w, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,=@+%", r))
		}) {
			b.WriteString(w)
			continue
		}
		b.WriteString("'" + strings.ReplaceAll(w, "'", `'\''`) + "'")
	}
	return b.String()
}
