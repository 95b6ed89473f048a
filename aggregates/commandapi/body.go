package commandapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
	"waybill/events/fault"
)

// maxBody bounds the body of a command, in bytes.
const maxBody = 1 << 20

// readBody reads a JSON object strictly into v: what is unknown, twice there or
// of another type is refused by name, and nothing of what was sent is repeated
// in the error. Without a body, v stays as it is when empty is fine.
func readBody(w http.ResponseWriter, r *http.Request, v any, empty bool) error {
	_, err := readBytes(w, r, v, empty)
	return err
}

// believed is how long a caller is taken for who it was when its request began.
const believed = 500 * time.Millisecond

// readAs is readBytes that returns who is asking as well. Whoever sends slowly is
// looked up anew at the end: nobody keeps what was taken away from him by beginning
// a request in time.
func (a *api) readAs(w http.ResponseWriter, r *http.Request, v any, empty bool) (access.Caller, []byte, error) {
	began := time.Now()
	data, err := readBytes(w, r, v, empty)
	c := access.CallerOf(r.Context())
	if err == nil && c.Org != uuid.Nil && time.Since(began) > believed {
		c, err = a.cfg.Access.Again(r.Context(), c)
	}
	return c, data, err
}

// readBytes is readBody that returns what was sent as well.
func readBytes(w http.ResponseWriter, r *http.Request, v any, empty bool) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, &problem.HTTPError{Status: http.StatusRequestEntityTooLarge, Code: "body-too-large",
				Detail: "The body has more than " + strconv.Itoa(maxBody) + " bytes."}
		}
		return nil, malformed("The body could not be read to its end.")
	}
	if len(data) == 0 && empty {
		return data, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &problem.HTTPError{Status: http.StatusUnsupportedMediaType, Code: "not-json", Detail: "Send the body as JSON, with Content-Type: application/json."}
	}
	if len(data) == 0 {
		return nil, malformed("The body is empty; send a JSON object.")
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true)); err != nil {
		return nil, badJSON(err)
	}
	return data, nil
}

func malformed(detail string, fields ...fault.Field) error {
	return &problem.HTTPError{Status: http.StatusBadRequest, Code: "malformed-body", Detail: detail, Fields: fields}
}

// badJSON says where the body is wrong and what would be right there.
func badJSON(err error) error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		name, what := fieldPath(semantic.JSONPointer), "must be "+wanted(semantic.GoType)
		if errors.Is(err, json.ErrUnknownName) {
			what = "is not known here"
		}
		if name == "" {
			return malformed("The body must be a JSON object.")
		}
		return malformed("The body has a member that cannot be taken: "+name+" "+what+".", fault.Field{Name: name, Detail: what})
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			name := fieldPath(syntactic.JSONPointer)
			return malformed("The body has a member twice: "+name+".", fault.Field{Name: name, Detail: "is there twice"})
		}
		return malformed("The body is no valid JSON, at byte " + strconv.FormatInt(syntactic.ByteOffset, 10) + ".")
	}
	return malformed("The body is no valid JSON.")
}

// fieldPath writes a JSON pointer the way people write paths: items[2].quantity.
func fieldPath(p jsontext.Pointer) string {
	const most = 100
	var b strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	path := b.String()
	if len(path) > most {
		path = strings.ToValidUTF8(path[:most], "") + "…"
	}
	return path
}

// wanted names what a Go type reads.
func wanted(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	switch t {
	case reflect.TypeFor[uuid.UUID]():
		return "an id (UUID)"
	case reflect.TypeFor[time.Time]():
		return "a time such as 2026-03-31T09:30:00Z"
	case reflect.TypeFor[Quantity]():
		return "a whole number"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return "a whole number"
	}
}

// Quantity is a whole number, sent as a number or, since it may be a large one,
// as text.
type Quantity int64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (q *Quantity) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	if k := token.Kind(); k != '"' && k != '0' {
		return errors.New("not a whole number")
	}
	n, err := strconv.ParseInt(token.String(), 10, 64)
	if err != nil {
		return errors.New("not a whole number")
	}
	*q = Quantity(n)
	return nil
}
